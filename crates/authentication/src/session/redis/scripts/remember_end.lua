-- KEYS: the log. ARGV: since, until, then digests. The later of two ends of the same counts.
local since, last = tonumber(ARGV[1]), tonumber(ARGV[2])
for i = 3, #ARGV do read(key('end', ARGV[i]), { 'since', 'until' }) end
for i = 3, #ARGV do
    local name = key('end', ARGV[i])
    local before = read(name, { 'since', 'until' }) or {}
    local later = math.max(last, tonumber(before['until'] or 0) or 0)
    redis.call('HSET', name, 'v', FORMAT, 'since', math.max(since, tonumber(before.since or 0) or 0), 'until', later)
    redis.call('ZADD', PREFIX .. 'ends', later, ARGV[i])
    local seconds = math.max(0, later - since) + SLACK
    outlive(name, seconds)
    outlive(PREFIX .. 'ends', seconds)
end
return 0
