#!lua name=locks

-- Locks that nobody waits for: who does not get one is told so at once, and decides for itself.
--
-- A lock is a key that holds its holder's token: a text of the holder's own, such as a UUID, used for nothing else. It
-- always expires. A holder that was too slow may have lost it unawares, so a lock only keeps work from being done twice
-- at the same time; whether it was done is for the database to say.
--
--   FCALL lock_acquire 1 KEY TOKEN MILLISECONDS   1: held by TOKEN (also when it held it already); 0: by another
--   FCALL lock_renew   1 KEY TOKEN MILLISECONDS   1: held that long from now; 0: TOKEN does not hold it (any more)
--   FCALL lock_release 1 KEY TOKEN                1: free again; 0: TOKEN does not hold it (any more)
--
-- A full store refuses new locks, and lets those there are be renewed and released (flag allow-oom).

local LONGEST = 24 * 60 * 60 * 1000 -- a day: what is held longer is no lock

local function asked(keys, args, wanted)
  if #keys ~= 1 then
    return nil, 'ERR a lock is one key; give 1 and its name'
  end
  if #args ~= wanted or args[1] == '' then
    return nil, 'ERR give a token that is not empty' .. (wanted == 2 and ', then milliseconds' or '')
  end
  if wanted == 2 then
    local ttl = string.match(args[2], '^%d+$') and tonumber(args[2])
    if not ttl or ttl < 1 or ttl > LONGEST then
      return nil, 'ERR milliseconds must be a whole number from 1 to ' .. LONGEST
    end
  end
  return keys[1], args[1], args[2]
end

local function acquire(keys, args)
  local key, token, ttl = asked(keys, args, 2)
  if not key then
    return server.error_reply(token)
  end
  if server.call('SET', key, token, 'NX', 'PX', ttl) or server.call('GET', key) == token then
    return 1
  end
  return 0
end

local function renew(keys, args)
  local key, token, ttl = asked(keys, args, 2)
  if not key then
    return server.error_reply(token)
  end
  if server.call('GET', key) == token then
    return server.call('PEXPIRE', key, ttl)
  end
  return 0
end

local function release(keys, args)
  local key, token = asked(keys, args, 1)
  if not key then
    return server.error_reply(token)
  end
  if server.call('GET', key) == token then
    return server.call('DEL', key)
  end
  return 0
end

server.register_function('lock_acquire', acquire)
server.register_function{function_name = 'lock_renew', callback = renew, flags = {'allow-oom'}}
server.register_function{function_name = 'lock_release', callback = release, flags = {'allow-oom'}}
