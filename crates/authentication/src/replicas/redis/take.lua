-- Takes a value. KEYS: its key. ARGV: who takes (16 bytes), milliseconds for which the same taker is answered the same.
local row = redis.call('GET', KEYS[1])
if not row then
  return false
end
local kind, value = string.sub(row, 1, 1), string.sub(row, 18)
if kind == 't' then
  return string.sub(row, 2, 17) == ARGV[1] and value
end
if kind ~= 'k' then
  return redis.error_reply('UNREADABLE ' .. KEYS[1] .. ' holds what no gateway has put there')
end
redis.call('SET', KEYS[1], 't' .. ARGV[1] .. value, 'PX', ARGV[2])
return value
