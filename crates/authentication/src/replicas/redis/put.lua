-- Keeps a value where none is. KEYS: its key. ARGV: who puts (16 bytes), the value, milliseconds.
-- A row is 'k', who put it, and the value; or 't', who took it, and the value, for the few seconds in which its taker may
-- ask once more because an answer was lost.
local row = redis.call('GET', KEYS[1])
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
redis.call('SET', KEYS[1], 'k' .. ARGV[1] .. ARGV[2], 'PX', ARGV[3])
return false
