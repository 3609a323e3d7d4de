-- KEYS: the log. ARGV: origin. Answers the number of the entry.
local number = redis.call('XADD', LOG, 'MAXLEN', '~', LOGGED, '*', 'kind', 'joined', 'root', '', 'more', '',
    'origin', ARGV[1])
outlive(LOG, 172800)
return number
