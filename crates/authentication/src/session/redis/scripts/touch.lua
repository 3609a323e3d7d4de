-- KEYS: the log. ARGV: pairs of a root and when it was used.
for i = 1, #ARGV, 2 do
    local root, at = ARGV[i], tonumber(ARGV[i + 1])
    local row = family(root)
    if row and tonumber(row.seen) and tonumber(row.seen) < at then
        redis.call('HSET', key('f', root), 'seen', at)
        redis.call('ZADD', PREFIX .. 'seen', at, root)
    end
end
return 0
