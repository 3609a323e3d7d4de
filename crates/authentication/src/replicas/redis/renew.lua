-- Has a lease last longer that its holder still holds. KEYS: its key. ARGV: the holder, milliseconds.
if redis.call('GET', KEYS[1]) ~= 'h' .. ARGV[1] then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
