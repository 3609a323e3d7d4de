-- Gives up a lease that its holder still holds. KEYS: its key. ARGV: the holder, milliseconds of rest (0: none).
if redis.call('GET', KEYS[1]) ~= 'h' .. ARGV[1] then
  return 0
end
if ARGV[2] == '0' then
  return redis.call('DEL', KEYS[1])
end
redis.call('SET', KEYS[1], 'r', 'PX', ARGV[2])
return 1
