-- KEYS: the log. ARGV: which index, behind which root, how many at most, then the names in that index: all of them are
-- looked into. For "ids": the first and the last identifier.
local kind, after, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local found = {}

-- Roots of an index in their order, from behind one on; those whose family is gone are taken out.
local function page(name)
    local roots, from = {}, after
    repeat
        local some = redis.call('ZRANGE', name, from == '' and '-' or '(' .. from, '+', 'BYLEX', 'LIMIT', 0, limit)
        for _, root in ipairs(some) do
            from = root
            if redis.call('EXISTS', key('f', root)) == 1 then
                roots[#roots + 1] = root
            else
                redis.call('ZREM', name, root)
            end
        end
    until #some < limit or #roots >= limit
    return roots
end

local function gather(roots)
    for _, root in ipairs(roots) do found[root] = true end
end

if kind == 'ids' then
    local ids = redis.call('ZRANGE', PREFIX .. 'ids', '[' .. ARGV[4], '[' .. ARGV[5], 'BYLEX')
    for _, id in ipairs(ids) do
        local session = read(key('s', id), { 'root' })
        if not session then
            redis.call('ZREM', PREFIX .. 'ids', id)
        elseif session.root > after then
            found[session.root] = true
        end
    end
elseif kind == 'all' then
    gather(page(PREFIX .. 'all'))
else
    for i = 4, #ARGV do gather(page(key(kind, ARGV[i]))) end
end

local roots = {}
for root in pairs(found) do roots[#roots + 1] = root end
table.sort(roots)
local overviews = {}
for i = 1, math.min(limit, #roots) do
    local name = key('f', roots[i])
    local row = read(name, { 'provider', 'created', 'seen', 'expires', 'card' })
    if row then
        local sessions = {}
        for _, id in ipairs(redis.call('SMEMBERS', key('m', roots[i]))) do
            local session = read(key('s', id), { 'host', 'created', 'bound' })
            if session then
                sessions[#sessions + 1] = { session.created, id, session.host, session.bound and '1' or '0' }
            end
        end
        overviews[#overviews + 1] = { roots[i], row.provider, row.created, row.seen, row.expires, row.card, sessions }
    end
end
return overviews
