-- What all scripts share. Every key begins with the same {tag}, so a Cluster keeps all of them on one node; the first
-- of KEYS is that of the log, and says how they begin. A script checks everything that it reads before it writes: what
-- fails has changed nothing.
local PREFIX = string.sub(KEYS[1], 1, -4)
local LOG = KEYS[1]
-- The format of what is written here. Rows of another one are left alone.
local FORMAT = '1'
-- Keys outlive what they hold by so many seconds, for when no gateway runs that would remove it.
local SLACK = 3600
-- So many entries of the log are kept, about: a gateway that misses more reads everything anew.
local LOGGED = 100000

local function key(kind, name) return PREFIX .. kind .. ':' .. name end

local function unreadable(name, why) error({ err = 'UNREADABLE ' .. name .. ' ' .. why }) end

-- The fields of a hash; nil where there is no such key.
local function read(name, fields)
    local found = redis.pcall('HMGET', name, 'v', unpack(fields))
    if found.err then unreadable(name, 'is no hash') end
    local row, there = {}, false
    for i, field in ipairs(fields) do
        row[field] = found[i + 1]
        there = there or found[i + 1]
    end
    if found[1] == FORMAT then return row end
    if found[1] then unreadable(name, 'was written in format ' .. string.sub(found[1], 1, 20)) end
    if there or redis.call('EXISTS', name) == 1 then unreadable(name, 'has no format') end
    return nil
end

local function family(root)
    return read(key('f', root),
        { 'provider', 'subject', 'user', 'sid', 'email', 'seen', 'version', 'card', 'step_up', 'stale' })
end

-- Keeps a key for at least so many seconds more.
local function outlive(name, seconds)
    if redis.call('TTL', name) < seconds then redis.call('EXPIRE', name, seconds) end
end

-- Enters a root into an index, whose order is that of the roots. Two entries are looked at in return: those whose family
-- has gone by its own expiry, while no gateway ran, go by and by.
local function enter(name, root, seconds)
    redis.call('ZADD', name, 0, root)
    outlive(name, seconds)
    for _, other in ipairs(redis.call('ZRANDMEMBER', name, 2)) do
        if redis.call('EXISTS', key('f', other)) == 0 then redis.call('ZREM', name, other) end
    end
end

local function digests(row)
    local names = { key('subject', row.subject) }
    if row.user and row.user ~= '' then names[#names + 1] = key('user', row.user) end
    if row.sid and row.sid ~= '' then names[#names + 1] = key('sid', row.sid) end
    if row.email and row.email ~= '' then names[#names + 1] = key('email', row.email) end
    return names
end

-- Tells every gateway.
local function tell(kind, root, more, origin)
    redis.call('XADD', LOG, 'MAXLEN', '~', LOGGED, '*', 'kind', kind, 'root', root, 'more', more, 'origin', origin)
    outlive(LOG, 172800)
end

-- Takes a root out of everything that is ordered by a time.
local function untime(root)
    for _, index in ipairs({ 'all', 'expires', 'seen', 'created' }) do redis.call('ZREM', PREFIX .. index, root) end
end

-- Removes a family with its sessions; what is written first is what a full server may refuse. Answers its sessions, nil
-- where it is not there.
local function drop(root, why, origin)
    local row = family(root)
    if not row then
        untime(root)
        return nil
    end
    local members = redis.call('SMEMBERS', key('m', root))
    local hosts = {}
    for i, id in ipairs(members) do
        local session = read(key('s', id), { 'host' })
        hosts[i] = session and session.host
    end
    tell('ended', root, why, origin)
    for i, id in ipairs(members) do
        if hosts[i] then redis.call('ZREM', key('host', hosts[i]), root) end
        redis.call('ZREM', PREFIX .. 'ids', id)
        redis.call('DEL', key('s', id))
    end
    for _, index in ipairs(digests(row)) do redis.call('ZREM', index, root) end
    if row.provider then redis.call('ZREM', key('provider', row.provider), root) end
    redis.call('DEL', key('f', root), key('m', root))
    untime(root)
    return members
end
