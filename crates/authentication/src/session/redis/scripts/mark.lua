-- KEYS: the log. ARGV: what is asked (a new sign-in, or new claims), since when, what streams are told, origin, then roots.
-- Answers all sessions of those that are there.
local asked, since, why, origin = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local marked = {}
for i = 5, #ARGV do
    local root = ARGV[i]
    local row = family(root)
    if row then
        local before = tonumber(row.step_up or 0) or 0
        if asked ~= 'step-up' then
            redis.call('HSET', key('f', root), 'stale', (tonumber(row.stale or 0) or 0) + 1)
        elseif since > before then
            redis.call('HSET', key('f', root), 'step_up', since)
        end
        -- What is open by it is cut everywhere, and it is read anew: an end in memory, and none in the store.
        if asked ~= 'step-up' or since > before then tell('ended', root, why, origin) end
        for _, id in ipairs(redis.call('SMEMBERS', key('m', root))) do marked[#marked + 1] = id end
    end
end
return marked
