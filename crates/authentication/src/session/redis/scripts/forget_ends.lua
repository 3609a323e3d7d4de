-- KEYS: the log. ARGV: now, how many at most. Answers how many.
local over = redis.call('ZRANGE', PREFIX .. 'ends', '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[2])
for _, digest in ipairs(over) do
    redis.call('DEL', key('end', digest))
    redis.call('ZREM', PREFIX .. 'ends', digest)
end
return #over
