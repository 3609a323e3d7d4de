-- KEYS: the log. ARGV: why, origin, then identifiers of sessions, or roots. Answers each family that was there: its
-- root, then its sessions.
local removed = {}
for i = 3, #ARGV do
    local session = read(key('s', ARGV[i]), { 'root' })
    local root = session and session.root or ARGV[i]
    local members = drop(root, ARGV[1], ARGV[2])
    if members then
        table.insert(members, 1, root)
        removed[#removed + 1] = members
    end
end
return removed
