/** What lifecycle functions say in words of a program, and what the same is called here. */
const inWordsOfCommands: readonly (readonly [RegExp, string])[] = [
  [/\bpass ownRequest: true/g, 'give --own-request'],
  [/\bpass reuse: true/g, 'give --reuse'],
  [/\blinkIdentity\(\) and reuse: true/g, '`clients link --reuse`'],
  [/\brun migratePostgres\(\)/g, 'run the command with --create'],
  [/\brequestContract\(\)/g, '`contracts request`'],
  [/\bapproveContract\(\)/g, '`contracts approve`'],
  [/\brejectContract\(\)/g, '`contracts reject`'],
  [/\brevokeContract\(\)/g, '`contracts revoke`'],
  [/\brestoreContract\(\)/g, '`contracts restore`'],
  [/\bchangeTier\(\)/g, '`contracts change-tier`'],
  [/^registerClient\(\): clientSecret: /g, 'the secret: '],
  [/^registerClient\(\): /g, ''],
  [
    /; "client" is the internal ID, which registerClient\(\) gives as client\.id, not the client ID that callers send/g,
    '',
  ],
]

/** The message of a fault for people at a terminal, who know no functions. */
export function inCommandWords(message: string): string {
  return inWordsOfCommands.reduce((text, [words, replacement]) => text.replace(words, replacement), message)
}
