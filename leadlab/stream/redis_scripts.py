"""What must happen as one step in Redis, in its own language.

Keys begin with a prefix that holds a hash tag, so that a cluster keeps them together::

    events:P        stream of partition P; an entry packs consecutive events: b their JSON,
                    t the server's clock (microseconds), n how many; its id is LAST-0, with
                    the offset of its last event
    last            hash, partition to offset of its newest event
    stamp           newest t
    seen:W          set of id keys taken in window W of the server's clock
    groups          set of groups
    done:G          hash, partition to the offset that group G has committed
    trial:G         hash, partition to tries of the event behind that, delivered alone
    lease:G:P       who of group G holds partition P; lapses by itself
    dead:G          stream of dead letters
"""

_SUM = """
local function total(key)
  local sum = 0
  for _, value in ipairs(redis.call('HVALS', key)) do sum = sum + tonumber(value) end
  return sum
end
"""

PUBLISH = (
    _SUM
    + """
-- KEYS prefix; ARGV bound, seconds of a window, id keys of 8 bytes, partitions of 1 byte, lines
local prefix, bound, window = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local ids, parts = ARGV[3], ARGV[4]
local n = #parts
local clock = redis.call('TIME')
local bucket = math.floor(tonumber(clock[1]) / window)
local seen = prefix .. 'seen:' .. string.format('%.0f', bucket)
local seen_before = prefix .. 'seen:' .. string.format('%.0f', bucket - 1)

local fresh, here, new_ids = {}, {}, {}
for from = 1, n, 1000 do
  local keys = {}
  for i = from, math.min(from + 999, n) do keys[#keys + 1] = string.sub(ids, 8 * i - 7, 8 * i) end
  local now = redis.call('SMISMEMBER', seen, unpack(keys))
  local before = redis.call('SMISMEMBER', seen_before, unpack(keys))
  for k, key in ipairs(keys) do
    if now[k] == 0 and before[k] == 0 and not here[key] then
      here[key] = true
      new_ids[#new_ids + 1] = key
      fresh[from + k - 1] = '1'
    else
      fresh[from + k - 1] = '0'
    end
  end
end
if #new_ids == 0 then return table.concat(fresh) end

local taken, groups = total(prefix .. 'last'), redis.call('SMEMBERS', prefix .. 'groups')
if #groups == 0 and taken >= bound then return {'nobody yet', taken} end
for _, group in ipairs(groups) do
  local lag = taken - total(prefix .. 'done:' .. group)
  if lag >= bound then return {group, lag} end
end

local stamp = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
stamp = math.max(stamp, tonumber(redis.call('GET', prefix .. 'stamp') or '0'))
redis.call('SET', prefix .. 'stamp', string.format('%.0f', stamp))
local bodies, i = {}, 0
for line in string.gmatch(ARGV[5], '[^\\n]+') do
  i = i + 1
  if fresh[i] == '1' then
    local p = string.byte(parts, i)
    if not bodies[p] then bodies[p] = {} end
    table.insert(bodies[p], line)
  end
end
local order = {}
for p in pairs(bodies) do order[#order + 1] = p end
table.sort(order)
for _, p in ipairs(order) do
  local last = redis.call('HINCRBY', prefix .. 'last', p, #bodies[p])
  redis.call('XADD', prefix .. 'events:' .. p, string.format('%.0f-0', last),
    'b', '[' .. table.concat(bodies[p], ',') .. ']',
    't', string.format('%.0f', stamp), 'n', #bodies[p])
end
for from = 1, #new_ids, 1000 do
  redis.call('SADD', seen, unpack(new_ids, from, math.min(from + 999, #new_ids)))
end
redis.call('EXPIRE', seen, 2 * window)
return table.concat(fresh)
"""
)

JOIN = """
-- KEYS prefix; ARGV group, partitions: make the group at the oldest event kept
local prefix, group = KEYS[1], ARGV[1]
redis.call('SADD', prefix .. 'groups', group)
for p = 0, tonumber(ARGV[2]) - 1 do
  local stream = prefix .. 'events:' .. p
  local made = redis.pcall('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
  if not made.err then
    local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
    local start = tonumber(redis.call('HGET', prefix .. 'last', p) or '0')
    if oldest then
      start = tonumber(string.match(oldest[1], '^%d+')) - tonumber(oldest[2][6])
    end
    redis.call('HSET', prefix .. 'done:' .. group, p, string.format('%.0f', start))
  elseif not string.find(made.err, 'BUSYGROUP') then
    return made
  end
end
return 1
"""

HOLD = """
-- KEYS prefix; ARGV group, token, ms, partitions...: 1 held before, 2 held from now on, 0 not held
local got = {}
for k = 4, #ARGV do
  local key = KEYS[1] .. 'lease:' .. ARGV[1] .. ':' .. ARGV[k]
  local holder = redis.call('GET', key)
  if holder == ARGV[2] then
    redis.call('PEXPIRE', key, ARGV[3])
    got[#got + 1] = 1
  elseif not holder then
    redis.call('SET', key, ARGV[2], 'PX', ARGV[3])
    got[#got + 1] = 2
  else
    got[#got + 1] = 0
  end
end
return got
"""

CLAIM = """
-- KEYS prefix; ARGV group, name, partition: take what others left; gives what is done
local prefix, group, p = KEYS[1], ARGV[1], ARGV[3]
local start = '0-0'
repeat
  start = redis.call('XAUTOCLAIM', prefix .. 'events:' .. p, group, ARGV[2], 0, start,
    'COUNT', 1000, 'JUSTID')[1]
until start == '0-0'
return tonumber(redis.call('HGET', prefix .. 'done:' .. group, p) or '0')
"""

RELEASE = """
-- KEYS prefix; ARGV group, token, partitions...
for k = 3, #ARGV do
  local key = KEYS[1] .. 'lease:' .. ARGV[1] .. ':' .. ARGV[k]
  if redis.call('GET', key) == ARGV[2] then redis.call('DEL', key) end
end
return 1
"""

COMMIT = """
-- KEYS prefix; ARGV group, token, partition, offset, [tries, event of a dead letter]: 0 if not held
local prefix, group, p = KEYS[1], ARGV[1], ARGV[3]
if redis.call('GET', prefix .. 'lease:' .. group .. ':' .. p) ~= ARGV[2] then return 0 end
local stream, done = prefix .. 'events:' .. p, prefix .. 'done:' .. group
if tonumber(ARGV[4]) <= tonumber(redis.call('HGET', done, p) or '0') then return 1 end
if ARGV[5] then
  redis.call('XADD', prefix .. 'dead:' .. group, '*',
    'p', p, 'o', ARGV[4], 'c', ARGV[5], 'e', ARGV[6])
end
while true do
  local open = redis.call('XPENDING', stream, group, '-', ARGV[4] .. '-0', 1000)
  local ids = {}
  for _, one in ipairs(open) do ids[#ids + 1] = one[1] end
  if #ids > 0 then redis.call('XACK', stream, group, unpack(ids)) end
  if #ids < 1000 then break end
end
redis.call('HSET', done, p, ARGV[4])
redis.call('HDEL', prefix .. 'trial:' .. group, p)
return 1
"""

TRIM = """
-- KEYS prefix; ARGV partition, offset: drop entries that end before it, if all have them
local prefix, p, keep = KEYS[1], ARGV[1], tonumber(ARGV[2])
local groups = redis.call('SMEMBERS', prefix .. 'groups')
if #groups == 0 then return 0 end
for _, group in ipairs(groups) do
  keep = math.min(keep, tonumber(redis.call('HGET', prefix .. 'done:' .. group, p) or '0') + 1)
end
local stream = prefix .. 'events:' .. p
local function first()
  local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  if not oldest then return tonumber(redis.call('HGET', prefix .. 'last', p) or '0') + 1 end
  return tonumber(string.match(oldest[1], '^%d+')) - tonumber(oldest[2][6]) + 1
end
local before = first()
redis.call('XTRIM', stream, 'MINID', '=', string.format('%.0f-0', keep))
return first() - before
"""
