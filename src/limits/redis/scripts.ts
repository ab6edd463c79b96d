import { script } from '../../redis/script.js'
import { answer, asked, deadline, load, loadOrDelete, save } from './lua-account.js'
import { charge, giveBack, used } from './lua.js'

/**
 * Reads the limits of what is asked from `first` on, by fives: algorithm, key, ceiling, span, stop; and whether there is room.
 * What is to be charged begins in a window of the calendar that was worked out elsewhere: the server's time has to lie
 * in it.
 */
export function roomFrom(first: number): string {
  return `
local ceilings, spans, stops, count = {}, {}, {}, 0
local room, elsewhere, least = true, false, math.huge
for at = ${first}, #asked, 5 do
  local algorithm, limit = asked[at], limits[asked[at + 1]]
  local ceiling, span = asked[at + 2], asked[at + 3]
  count = count + 1
  ceilings[count], spans[count] = ceiling, span
  if algorithm == 'calendar' then
    stops[count] = asked[at + 4]
    if not limit or over(limit[3], limit[4] - limit[3]) then
      elsewhere = elsewhere or not (span <= now and now < stops[count])
    end
  end
  local left = ceiling - used(algorithm, limit, ceiling, span)
  if not ((algorithm == 'concurrent' and 1 or cost) <= left) then room = false end
  if left < least then least = left end
end
if elsewhere then return { 'again', now } end
`
}

/** `work` is Lua that is done for each of these limits. */
export function forEach(first: number, work: string): string {
  return `
for index = 1, count do
  local at = ${first} + 5 * (index - 1)
  local algorithm, key, span = asked[at], asked[at + 1], spans[index]
  ${work}
end
`
}

/**
 * KEYS: the account. Asked: until when, the cost (false to look only), an ID for an account that begins; the limits.
 * Returns 'again' and the time, or whether it was charged, the time, the account's ID, and what stands there.
 */
export const takeScript = script(`${asked}${deadline}${load}${save}${used}${charge}${answer}
local cost = asked[2] or 1
${roomFrom(4)}
local charges = room and asked[2]
if charges then
  if id == '' then id = asked[3] end
${forEach(4, 'limits[key] = charge(algorithm, limits[key], ceilings[index], span, stops[index], cost)')}
  save()
end
local answer = { charges and 1 or 0, now, id }
${forEach(4, 'add(answer, algorithm, limits[key], span)')}
return answer
`)

/**
 * KEYS: the account, a mark of this return: clients that lost a connection send again what may have been done. Asked:
 * until when, how long to keep the mark, the ID of the account that was charged, the cost; by fives key, ceiling, span,
 * what it was charged under, and whether a reset leaves it.
 */
export const giveBackScript = script(`${asked}${deadline}
if not redis.call('SET', KEYS[2], '1', 'NX', 'PX', asked[2]) then return { 'done', now } end
${load}${save}${used}${giveBack}
for at = 5, #asked, 5 do
  local limit = limits[asked[at]]
  if limit and (id == asked[3] or asked[at + 4]) then
    giveBack(limit, asked[at + 1], asked[at + 2], asked[at + 3], asked[4])
  end
end
if packed then save() end
return { 'done', now }
`)

/**
 * KEYS: the account. Asked: until when, an ID for what begins now, who asks. Requests in flight stay, and so do the leases
 * that other processes may still be spending: what they hold stays charged.
 */
export const resetScript = script(`${asked}${deadline}${loadOrDelete}${save}
local held = {}
for holder, lease in pairs(leases) do
  if lease[3] <= now or holder == asked[3] then
    leases[holder] = nil
  else
    for key, mark in pairs(lease[4]) do
      if limits[key] and limits[key][3] == mark then held[key] = (held[key] or 0) + lease[2] end
    end
  end
end
for key, limit in pairs(limits) do
  if held[key] then
    if limit[1] == 'calendar' then limit[5] = held[key] else limit[4] = held[key] end
    if limit[1] == 'sliding' then limit[5] = 0 end
  elseif limit[1] ~= 'concurrent' then
    limits[key] = nil
  end
end
id = asked[2]
if packed then save() end
return { 'done', now }
`)
