-- Keeps a value. KEYS: its key, and the index of its kind by when each is over. ARGV: who puts (16 bytes), the value,
-- milliseconds, how many of its kind are kept at most, and whether it replaces what is there.
-- A row is 'k', who put it, and the value; or 't', who took it, and the value, for the few seconds in which its taker may
-- ask once more because an answer was lost.
local row = ARGV[5] == '0' and redis.call('GET', KEYS[1])
local kind = row and string.sub(row, 1, 1)
if kind == 'k' then
  if string.sub(row, 2, 17) == ARGV[1] then
    return false
  end
  return string.sub(row, 18)
end
if row and kind ~= 't' then
  return redis.error_reply('UNREADABLE ' .. KEYS[1] .. ' holds what no gateway has put there')
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[2], now + ARGV[3], KEYS[1])
redis.call('SET', KEYS[1], 'k' .. ARGV[1] .. ARGV[2], 'PX', ARGV[3])
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[3]) then
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
end
-- A few at a time: whoever comes after a flood does not clean up after all of it.
local over = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 10)
if #over > 0 then
  redis.call('ZREM', KEYS[2], unpack(over))
  redis.call('DEL', unpack(over))
end
local surplus = redis.call('ZCARD', KEYS[2]) - ARGV[4]
if surplus > 0 then
  local first = redis.call('ZPOPMIN', KEYS[2], math.min(surplus, 10))
  for i = 1, #first, 2 do
    redis.call('DEL', first[i])
  end
end
return false
