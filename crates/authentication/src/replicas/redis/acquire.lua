-- Takes a lease that is free. KEYS: its key. ARGV: its holder (16 bytes), milliseconds. A row is 'h' and the holder, or 'r'.
-- Answers 1: held; 0: somebody else's; 2: at rest.
local row = redis.call('GET', KEYS[1])
if not row or row == 'h' .. ARGV[1] then
  redis.call('SET', KEYS[1], 'h' .. ARGV[1], 'PX', ARGV[2])
  return 1
end
if row == 'r' then
  return 2
end
if string.sub(row, 1, 1) ~= 'h' then
  return redis.error_reply('UNREADABLE ' .. KEYS[1] .. ' holds what is no lease')
end
return 0
