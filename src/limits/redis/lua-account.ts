/**
 * How the scripts are asked and answer, and what they keep. An account is one value, so that everything of a subject lies
 * on one node of a cluster: its ID, until when the key is kept, and the limits; behind them, where there are any, what
 * has no fixed width: limits in flight, and leases. The numbers are packed by `struct`, which takes a tenth of the time
 * that `cmsgpack` does; that is for the rest.
 */

/** ARGV[1]: a list in JSON, since one long parameter costs less than ten short ones. */
export const asked = `
local asked = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

/** The first of what is asked: until when by the server's clock somebody waits for this. */
export const deadline = `
if now > asked[1] then return { 'again', now } end
`

const unpack = `
local packed = redis.call('GET', KEYS[1])
local id, kept, limits, leases = '', 0, {}, {}
local function unpack()
  local count, at, key, algorithm, last, one, two, three
  id, kept, count, at = struct.unpack('<Hc0dH', packed)
  local sound = kept >= 0 and kept < math.huge
  for _ = 1, count do
    key, algorithm, last, one, two, three, at = struct.unpack('<Hc0Bc0dddd', packed, at)
    sound = sound and last >= 0 and last < math.huge and one >= 0 and one < math.huge
      and two >= 0 and two < math.huge and three >= 0 and three < math.huge
    limits[key] = { algorithm, last, one, two, three }
  end
  if at <= #packed then
    local rest = cmsgpack.unpack(string.sub(packed, at))
    leases, sound = rest[2], sound and type(rest[2]) == 'table'
    for inFlight, limit in pairs(rest[1]) do limits[inFlight] = limit end
  end
  return sound
end
`

/** Answers 'broken' to what nobody here has packed, or has numbers that no count can reach. */
export const load = `${unpack}
if packed then
  local readable, sound = pcall(unpack)
  if not readable or not sound then return { 'broken', now } end
end
`

/** For a reset, which is how people mend what is broken: it is gone then. */
export const loadOrDelete = `
if redis.call('TYPE', KEYS[1]).ok ~= 'string' then redis.call('DEL', KEYS[1]) end
${unpack}
if packed then
  local readable, sound = pcall(unpack)
  if not readable or not sound then
    redis.call('DEL', KEYS[1])
    return { 'done', now }
  end
end
`

/**
 * What has long ended is dropped; a lease only when its holder must have been gone for an hour. To say anew when a key
 * ends costs as much as to write it: what ends later with each charge is kept for an eighth longer.
 */
export const save = `
local function save()
  local last, count, rows, inFlight = 0, 0, {}, {}
  for key, limit in pairs(limits) do
    local algorithm, ends = limit[1], limit[2]
    if ends <= now then
      limits[key] = nil
    elseif algorithm == 'concurrent' then
      inFlight[key] = limit
    else
      count = count + 1
      rows[count + 1] = struct.pack(
        '<Hc0Bc0dddd', #key, key, #algorithm, algorithm, ends, limit[3], limit[4], limit[5] or 0)
    end
    if ends > last then last = ends end
  end
  for holder, lease in pairs(leases) do
    if lease[3] + 3600000 < now then leases[holder] = nil end
  end
  if last <= now then return redis.call('DEL', KEYS[1]) end
  if next(inFlight) or next(leases) then rows[count + 2] = cmsgpack.pack({ inFlight, leases }) end
  local stays = last <= kept
  if not stays then kept = packed and last + (last - now) / 8 or last end
  rows[1] = struct.pack('<Hc0dH', #id, id, kept, count)
  local value = table.concat(rows)
  if stays then return redis.call('SET', KEYS[1], value, 'KEEPTTL') end
  redis.call('SET', KEYS[1], value, 'PX', math.ceil(kept - now))
end
`

/** Of each limit the numbers, or how many are in flight; nothing for one that was never charged. */
export const answer = `
local widths = { fixed = 2, calendar = 3, sliding = 3, gcra = 3 }
local function text(number)
  return number % 1 == 0 and number or string.format('%.17g', number)
end
local function add(answer, algorithm, limit, span)
  local width, last = widths[algorithm], #answer
  if not width then
    answer[last + 1] = limit and #limit - 2 - aged(limit, span) or 0
  else
    for at = 1, width do answer[last + at] = limit and text(limit[2 + at]) or false end
  end
end
`
