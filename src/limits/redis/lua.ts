/**
 * What the scripts count with. The arithmetic is that of `limits/algorithms`, done here again because it has to be done
 * where the numbers are; a test holds both to the same oracle. A limit is `{ algorithm, end, number, … }` with the numbers
 * that `limits/algorithms` has for it, a lease `{ turn, amount, end, marks by key }`. `span` is what a limit lasts; for
 * `gcra` what runs off in a millisecond.
 */
export const used = `
local function over(start, span)
  return now >= start + span or now < start - span
end
local function aged(limit, span)
  local count = 0
  while limit[3 + count] and over(limit[3 + count], span) do count = count + 1 end
  return count
end
local function used(algorithm, limit, ceiling, span)
  if not limit then return 0 end
  if algorithm == 'fixed' then
    return over(limit[3], span) and 0 or limit[4]
  elseif algorithm == 'calendar' then
    return over(limit[3], limit[4] - limit[3]) and 0 or limit[5]
  elseif algorithm == 'sliding' then
    if over(limit[3], 2 * span) then return 0 end
    local elapsed = math.max(0, now - limit[3])
    if elapsed >= span then return limit[4] * (1 - (elapsed - span) / span) end
    return limit[4] + limit[5] * (1 - elapsed / span)
  elseif algorithm == 'gcra' then
    if now < limit[4] then return now < limit[4] - ceiling / span and 0 or limit[3] end
    return math.max(0, limit[3] - (now - limit[4]) * span)
  end
  return #limit - 2 - aged(limit, span)
end
`

/** `stop`: the end of the calendar's window, of which `span` is the start. */
export const charge = `
local function charge(algorithm, limit, ceiling, span, stop, cost)
  if algorithm == 'fixed' then
    if not limit or over(limit[3], span) then return { algorithm, now + span, now, cost } end
    limit[4] = limit[4] + cost
  elseif algorithm == 'calendar' then
    if not limit or over(limit[3], limit[4] - limit[3]) then return { algorithm, stop, span, stop, cost } end
    limit[5] = limit[5] + cost
  elseif algorithm == 'sliding' then
    if not limit or over(limit[3], 2 * span) then return { algorithm, now + 2 * span, now, cost, 0 } end
    if now - limit[3] < span then
      limit[4] = limit[4] + cost
    else
      return { algorithm, limit[3] + 3 * span, limit[3] + span, cost, limit[4] }
    end
  elseif algorithm == 'gcra' then
    local before = used(algorithm, limit, ceiling, span)
    local low = before >= ceiling / 2 and limit[5] or now
    return { algorithm, now + (before + cost) / span, before + cost, now, low }
  else
    local kept = { algorithm, now + span }
    if limit then for at = 3 + aged(limit, span), #limit do kept[#kept + 1] = limit[at] end end
    kept[#kept + 1] = now
    return kept
  end
  return limit
end
`

export const giveBack = `
local function giveBack(limit, ceiling, span, mark, cost)
  local algorithm = limit[1]
  if algorithm == 'fixed' then
    if limit[3] == mark then limit[4] = math.max(0, limit[4] - cost) end
  elseif algorithm == 'calendar' then
    if limit[3] == mark then limit[5] = math.max(0, limit[5] - cost) end
  elseif algorithm == 'sliding' then
    if limit[3] == mark then
      limit[4] = math.max(0, limit[4] - cost)
    elseif limit[3] == mark + span then
      limit[5] = math.max(0, limit[5] - cost)
    end
  elseif algorithm == 'gcra' then
    local before, half = used(algorithm, limit, ceiling, span), ceiling / 2
    local standing = limit[5] <= mark and before >= half and half or 0
    local after = before - math.min(before, cost, math.max(standing, cost - (now - mark) * span))
    if not (after >= half) then limit[5] = now end
    limit[2], limit[3], limit[4] = now + after / span, after, now
  else
    for at = 3, #limit do
      if limit[at] == mark then return table.remove(limit, at) end
    end
  end
end
`

/** Ends a lease: what was not spent of it goes back to where it was charged. A lease of another turn is left alone. */
export const settle = `
local function settle(holder, turn, unspent)
  local lease = leases[holder]
  if not lease or lease[1] ~= turn then return false end
  leases[holder] = nil
  for key, mark in pairs(lease[4]) do
    local limit = limits[key]
    if limit then giveBack(limit, 0, (limit[2] - limit[3]) / 2, mark, math.min(unspent, lease[2])) end
  end
  return true
end
`
