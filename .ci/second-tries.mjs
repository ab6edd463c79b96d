/** For a machine that has other work: a test that holds a bound of time may need a second try. Says which did. */
export default class SecondTries {
  #names = []

  onTestCaseResult(test) {
    if (test.diagnostic()?.flaky === true) this.#names.push(test.fullName)
  }

  onTestRunEnd() {
    for (const name of this.#names) console.log(`passed on the second try alone: ${name}`)
  }
}
