import { script } from '../../redis/script.js'
import { answer, asked, deadline, load, save } from './lua-account.js'
import { charge, giveBack, settle, used } from './lua.js'
import { forEach, roomFrom } from './scripts.js'

const grantOne = `
  local limit = charge(algorithm, limits[key], ceilings[index], span, stops[index], granted)
  limits[key], marks[key] = limit, limit[3]
  lasts = math.min(lasts, (algorithm == 'calendar' and limit[4] or limit[3] + span) - now)
`

/**
 * KEYS: the account. Asked: until when, the cost, an ID for an account that begins, who asks; the turn of the lease that
 * it ends, and what of that was not spent; the turn of the next one, how much is wanted (the cost included), at most
 * which share of what is left, and how long it is to last; the limits.
 *
 * A lease ends before any window turns that it was charged in. So what is spent of it is spent where it was charged.
 * Returns what `takeScript` does, and after the ID how much was charged, and how long that may be spent.
 */
export const askScript = script(`${asked}${deadline}${load}${save}${used}${charge}${giveBack}${settle}${answer}
local cost = asked[2]
local settled = settle(asked[4], asked[5], asked[6])
${roomFrom(11)}
local granted, lasts = 0, 0
if room then
  granted, lasts = math.max(cost, math.min(asked[8], math.floor(least * asked[9]))), asked[10]
  if id == '' then id = asked[3] end
  local marks = {}
${forEach(11, grantOne)}
  if granted > cost then leases[asked[4]] = { asked[7], granted, now + lasts, marks } end
end
if room or settled then save() end
local answer = { room and 1 or 0, now, id, text(granted), lasts }
${forEach(11, 'add(answer, algorithm, limits[key], span)')}
return answer
`)

/** KEYS: the account. Asked: until when, whose lease, its turn, what of it was not spent. */
export const settleScript = script(`${asked}${deadline}${load}${save}${used}${giveBack}${settle}
if settle(asked[2], asked[3], asked[4]) then save() end
return { 'done', now }
`)
