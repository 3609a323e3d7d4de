-- KEYS: the log, the session. ARGV: the version that the proof was made for, nonce. Answers whether it counts. Nobody looks
-- at the version in memory: nobody is told.
local session = read(KEYS[2], { 'root', 'bound', 'proofs', 'prover' })
if not session or not session.bound then return 0 end
local version, now = tonumber(ARGV[1]), tonumber(session.proofs)
if not now then unreadable(KEYS[2], 'has no count of proofs') end
-- The same proof, tried again because its answer was lost.
if now == version + 1 and session.prover == ARGV[2] then return 1 end
if now ~= version then return 0 end
redis.call('HSET', KEYS[2], 'proofs', version + 1, 'prover', ARGV[2])
return 1
