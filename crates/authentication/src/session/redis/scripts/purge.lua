-- KEYS: the log. ARGV: now, last seen not later than, signed in not later than, how many at most, why, origin.
local limit = tonumber(ARGV[4])
local roots, taken = {}, {}
local function gather(index, last)
    local over = redis.call('ZRANGE', PREFIX .. index, '-inf', last, 'BYSCORE', 'LIMIT', 0, limit)
    for _, root in ipairs(over) do
        if not taken[root] and #roots < limit then
            taken[root] = true
            roots[#roots + 1] = root
        end
    end
end
gather('expires', ARGV[1])
gather('seen', ARGV[2])
gather('created', ARGV[3])
local removed = {}
for _, root in ipairs(roots) do
    local fine, members = pcall(drop, root, ARGV[5], ARGV[6])
    if not fine then
        -- Nothing of it is touched but the time when it is looked at again: it would stand in the way of all others.
        for _, index in ipairs({ 'expires', 'seen', 'created' }) do
            redis.call('ZADD', PREFIX .. index, 'XX', tonumber(ARGV[1]) + SLACK, root)
        end
    end
    if fine and members then
        table.insert(members, 1, root)
        removed[#removed + 1] = members
    end
end
-- Also how many were looked at: entries of families that went by their own expiry are gone now as well.
return { #roots, removed }
