import { script } from '../../redis/script.js'

/** KEYS: any. The server's time in milliseconds, then what stands there. */
export const readScript = script(`
local time = redis.call('TIME')
local answer = { string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000)) }
for at, key in ipairs(KEYS) do answer[at + 1] = redis.call('GET', key) end
return answer
`)

/**
 * KEYS: a mark, the epoch, the records, the indexes. ARGV: until when by the server's clock, how long to keep the mark,
 * the epoch that was seen ('' for none), a new one, channel, hint, the number of records; for each record what must
 * stand there ('' for nothing, else '=' and the text); for each what shall ('-' for nothing, '.' for the same, else '='
 * and the text); then by threes the number of an index among KEYS, '+' or '-', and the member.
 *
 * All or nothing: a server that is out of memory refuses what adds, from the first such call on, so whatever adds
 * comes before whatever takes away. The mark tells a commit that was sent twice, as clients do after a lost connection.
 */
export const commitScript = script(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 'done' end
local time = redis.call('TIME')
if time[1] * 1000 + time[2] / 1000 > tonumber(ARGV[1]) then return 'late' end
local epoch = redis.call('GET', KEYS[2])
if (epoch or '') ~= ARGV[3] then return 'changed' end
local count = tonumber(ARGV[7])
for at = 1, count do
  local text = redis.call('GET', KEYS[2 + at])
  if (text and '=' .. text or '') ~= ARGV[7 + at] then return 'changed' end
end
local function index(sign, command)
  for at = 8 + 2 * count, #ARGV, 3 do
    if ARGV[at + 1] == sign then command(KEYS[tonumber(ARGV[at])], ARGV[at + 2]) end
  end
end
redis.call('SET', KEYS[1], '1', 'PX', ARGV[2])
if not epoch then redis.call('SET', KEYS[2], ARGV[4]) end
for at = 1, count do
  local text = ARGV[7 + count + at]
  if string.sub(text, 1, 1) == '=' then redis.call('SET', KEYS[2 + at], string.sub(text, 2)) end
end
index('+', function(key, member) redis.call('ZADD', key, 0, member) end)
for at = 1, count do
  if ARGV[7 + count + at] == '-' then redis.call('DEL', KEYS[2 + at]) end
end
index('-', function(key, member) redis.call('ZREM', key, member) end)
redis.call('PUBLISH', ARGV[5], ARGV[6])
return 'done'
`)
