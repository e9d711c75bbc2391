"""The hot loops of the fast night: plain functions over lists or arrays, written so that numba takes them.

Nothing here knows scenarios, CATDs or people: only queues, durations and moments in ms. Compiling them,
and giving them what they take, is `compiled`; who prepares it is `plan`.

Two events of one ms keep the order in which they were set in motion, as an event list would keep
them: every moment travels with its `created`, the moment at which what ends then began.
"""

from __future__ import annotations

from heapq import heappop, heappush, heapreplace
from math import ceil
from typing import Any

from simulator.fast.kernel import NEVER

HOUR_MS = 3_600_000


def loop_shuffle(items: Any, words: Any) -> bool:
    """`random.shuffle` in place, on the 32-bit words of its generator; False when they are not enough."""
    used = 0
    for last in range(len(items) - 1, 0, -1):
        bits = 1
        while last + 1 >= 1 << bits:
            bits += 1
        while True:
            if used == len(words):
                return False
            other = words[used] >> (32 - bits)
            used += 1
            if other <= last:
                break
        items[last], items[other] = items[other], items[last]
    return True


def loop_servers(at: Any, work: Any, counts: Any, bounds: Any, end: Any) -> int:
    """Kiefer and Wolfowitz over jobs in order of service; `counts[k]` servers before `bounds[k + 1]`.

    Fills `end`. Answers how many jobs were served: fewer than all when no server would ever come.
    """
    busy = [bounds[0]]
    busy.pop()
    segment = 0
    capacity, bound = counts[0], bounds[1]
    now = bounds[0]
    for job in range(len(at)):
        if at[job] > now:
            now = at[job]
        while True:
            while now >= bound:
                segment += 1
                capacity, bound = counts[segment], bounds[segment + 1]
            if len(busy) < capacity:
                end[job] = now + work[job]
                heappush(busy, end[job])
                break
            if len(busy) > 0 and busy[0] <= now:
                if len(busy) == capacity:
                    end[job] = now + work[job]
                    heapreplace(busy, end[job])
                    break
                heappop(busy)
                continue
            now = bound
            if len(busy) > 0 and busy[0] < bound:
                now = busy[0]
            if now >= NEVER:
                return job
    return len(at)


def loop_groups(first: Any, servers: Any, at: Any, work: Any, begin: Any, end: Any) -> None:
    """FIFO pools side by side: group g has `servers[g]` and the jobs `first[g]` to `first[g + 1]`.

    Jobs come in order of service within their group. Fills `begin` and `end`.
    """
    for group in range(len(servers)):
        low, high = first[group], first[group + 1]
        if low == high:
            continue
        busy = [at[low]]
        busy.pop()
        capacity = servers[group]
        for job in range(low, high):
            now = at[job]
            if len(busy) < capacity:
                heappush(busy, now + work[job])
            else:
                if busy[0] > now:
                    now = busy[0]
                heapreplace(busy, now + work[job])
            begin[job] = now
            end[job] = now + work[job]


def loop_links(
    first: Any, steps: Any, times: Any, rates: Any, delays: Any, at: Any, work: Any, begin: Any, end: Any
) -> None:
    """One link per group, one shipment at a time, in order of service: store and forward.

    The link of group g gives `rates[k]` of itself from `times[k]` on, for k from `steps[g]` to
    `steps[g + 1]`, and what begins then takes `delays[k]` more; with no step, all of itself. What a dead
    link holds, and what is behind it, never ends.
    """
    for group in range(len(first) - 1):
        low, high = steps[group], steps[group + 1]
        position = low
        free = 0
        for job in range(first[group], first[group + 1]):
            now = at[job] if at[job] > free else free
            begin[job] = now
            if free == NEVER:
                end[job] = NEVER
                continue
            if low == high:
                free = now + work[job]
                end[job] = free
                continue
            while position + 1 < high and times[position + 1] <= now:
                position += 1
            delay = delays[position]
            left = float(work[job])
            step = position
            while True:
                rate = rates[step]
                if step + 1 == high or left <= (times[step + 1] - now) * rate:
                    free = now + ceil(left / rate) + delay if rate > 0 else NEVER
                    break
                left -= (times[step + 1] - now) * rate
                step += 1
                now = times[step]
            end[job] = free


def loop_capture(
    until: int,
    order: Any, at: Any, created: Any,
    durations: Any, luck: Any, luck_totals: Any, mark: Any, blank: Any,
    from_ms: Any, until_ms: Any, speed: Any, care: Any, first_rest: Any,
    rates: Any, rests: Any, stop_from: Any, stop_to: Any,
    resolvers: int, resolve: Any,
    registered: Any, tally: Any,
) -> None:  # fmt: skip
    """The statewide capture pool and its resolvers, until `until`.

    Actas: `order` by arrival, with `at` and `created`; by attempt and acta, one after another in flat
    arrays, `durations` (ms at speed 1), `luck` and `luck_totals` (errs below `rates[0]` and `rates[1]`
    times the person's `care`) and `mark` (confuses a mark); `blank` actas have no number to mistake.
    People by number: shift, `speed`, `care`, `first_rest` (NEVER for who does not rest). `rates[2]`
    and `rates[3]` are how much slower and more careless each gets per hour; `rests` the ms of a rest and
    the ms between rests. Nobody works from `stop_from[k]` to `stop_to[k]`.

    Fills `registered`, and `tally`: captures, disputes, third captures, ms of capture, ms of resolution.
    """
    size, people, stops = len(resolve), len(from_ms), len(stop_to)
    resuming = people + resolvers
    timers = resuming + 1
    span = people + 1
    first_by, second_by = [-1] * size, [-1] * size
    first_code, second_code = [0] * size, [0] * size
    made_of = [0] * size
    queue = [0] * (3 * size)
    head, tail = [0, size, 2 * size], [0, size, 2 * size]
    ring = [0] * span
    ring_at, idle = 0, 0
    resolving = [0] * (2 * size)
    resolving_head, resolving_tail = 0, 0
    free_resolver = [people + number for number in range(resolvers - 1, -1, -1)]
    job, job_care = [-1] * resuming, [0.0] * people
    fresh = [from_ms[person] for person in range(people)]
    rest_due = [first_rest[person] for person in range(people)]
    timer = [NEVER] * people
    events = [(until, until, 0, 0)]
    events.pop()
    sequence = 0
    for number in range(stops):
        heappush(events, (stop_to[number], stop_from[number], sequence, resuming))
        sequence += 1
    for person in range(people):
        if from_ms[person] > 0:
            heappush(events, (from_ms[person], 0, sequence, person))
            sequence += 1
            continue
        ring[idle] = person
        idle += 1
        if rest_due[person] < NEVER:
            timer[person] = rest_due[person]
            heappush(events, (rest_due[person], 0, sequence, timers + person))
            sequence += 1
    stop, coming, handing = 0, 0, 0
    now = 0
    while True:
        offered, attempt, asking = -1, 0, -1
        disputed, resolver = -1, -1
        direct = handing > 0
        if direct:
            # After a stop: what waits goes to the idle in their order, and nobody comes between.
            handing -= 1
            asking = ring[ring_at]
            ring_at = ring_at + 1 if ring_at + 1 < span else 0
            idle -= 1
        else:
            come = coming < len(order)
            if come and len(events) > 0:
                top = events[0]
                come = at[coming] < top[0] or (at[coming] == top[0] and created[coming] <= top[1])
            if come:
                now = at[coming]
                if now >= until:
                    break
                offered = order[coming]
                coming += 1
            elif len(events) > 0:
                if events[0][0] >= until:
                    break
                now, _, _, who = heappop(events)
                if who >= timers:
                    # A rest falls due: who waits for work stops waiting.
                    person = who - timers
                    for place in range(idle):
                        if ring[(ring_at + place) % span] == person:
                            for later in range(place, idle - 1):
                                ring[(ring_at + later) % span] = ring[(ring_at + later + 1) % span]
                            idle -= 1
                            asking = person
                            break
                elif who == resuming:
                    handing = idle
                elif who >= people:
                    resolver, acta = who, job[who]
                    # A capture that says what the resolver reads settles it, and so does a third one.
                    if made_of[acta] == 2 and first_code[acta] != 0 and second_code[acta] != 0:
                        for person in range(people):
                            if (
                                until_ms[person] > now
                                and person != first_by[acta]
                                and person != second_by[acta]
                            ):
                                offered, attempt = acta, 2
                                break
                    if offered >= 0:
                        tally[2] += 1
                    else:
                        registered[acta] = now
                else:
                    asking, acta = who, job[who]
                    job[who] = -1
                    if acta == -2:
                        fresh[who] = now
                        rest_due[who] = now + rests[1]
                    elif acta >= 0:
                        tally[0] += 1
                        made = made_of[acta]
                        made_of[acta] = made + 1
                        spot = made * size + acta
                        erred = luck[spot] < rates[0] * job_care[who]
                        if luck_totals[spot] < rates[1] * job_care[who]:
                            erred = True
                        code = 1 if mark[spot] else 0
                        if erred and not blank[acta]:
                            code = 2 + made
                        if made == 0:
                            first_by[acta], first_code[acta] = who, code
                            offered, attempt = acta, 1
                        elif code == first_code[acta] or (made == 2 and code == second_code[acta]):
                            registered[acta] = now
                        else:
                            if made == 1:
                                tally[1] += 1
                                second_by[acta], second_code[acta] = who, code
                            disputed = acta
            else:
                break
        while stop < stops and now >= stop_to[stop]:
            stop += 1
        stopped = stop < stops and now >= stop_from[stop]

        # The acta offered goes to the person idle for longest who may have it, or waits.
        woken = -1
        if offered >= 0:
            looked = 0 if stopped else idle
            while looked > 0:
                looked -= 1
                person = ring[ring_at]
                ring_at = ring_at + 1 if ring_at + 1 < span else 0
                idle -= 1
                if until_ms[person] <= now:
                    continue
                if attempt == 0 or (
                    person != first_by[offered] and (attempt == 1 or person != second_by[offered])
                ):
                    woken = person
                    break
                ring[(ring_at + idle) % span] = person
                idle += 1
            if woken < 0:
                queue[tail[attempt]] = offered
                tail[attempt] += 1

        # Who has free hands rests, or takes a third capture, a second one or a new acta, none his own.
        given = -1
        if asking >= 0 and now < until_ms[asking]:
            if not direct and rest_due[asking] <= now:
                job[asking] = -2
                heappush(events, (now + rests[0], now, sequence, asking))
                sequence += 1
            else:
                made = -1 if stopped else 2
                while made >= 0 and given < 0:
                    for place in range(head[made], tail[made]):
                        acta = queue[place]
                        if made == 0 or (
                            asking != first_by[acta] and (made == 1 or asking != second_by[acta])
                        ):
                            given = acta
                            for back in range(place, head[made], -1):
                                queue[back] = queue[back - 1]
                            head[made] += 1
                            break
                    if given < 0:
                        made -= 1
                if given < 0:
                    ring[(ring_at + idle) % span] = asking
                    idle += 1
                    due = rest_due[asking]
                    if not direct and due < NEVER and timer[asking] != due:
                        timer[asking] = due
                        heappush(events, (due, now, sequence, timers + asking))
                        sequence += 1

        # Work begins: whoever asked, the resolver who is free, and then whoever was woken. What a stop
        # cuts goes on after it, set in motion again by its end.
        for turn in range(3):
            who, spent = -1, 0
            if turn == 1:
                if disputed >= 0:
                    resolving[resolving_tail] = disputed
                    resolving_tail += 1
                if resolver >= 0:
                    free_resolver.append(resolver)
                while not stopped and resolving_head < resolving_tail and len(free_resolver) > 0:
                    acta = resolving[resolving_head]
                    resolving_head += 1
                    who = free_resolver.pop()
                    job[who] = acta
                    end, begun, later = now + resolve[acta], now, stop
                    while later < stops and stop_from[later] < end:
                        end += stop_to[later] - stop_from[later]
                        begun = stop_to[later]
                        later += 1
                    heappush(events, (end, begun, sequence, who))
                    sequence += 1
                    tally[4] += resolve[acta]
                continue
            if turn == 0 and given >= 0:
                who, acta = asking, given
            elif turn == 2 and woken >= 0:
                who, acta, made = woken, offered, attempt
            if who >= 0:
                hours = (now - fresh[who]) / HOUR_MS
                job[who], job_care[who] = acta, care[who] * (1 + rates[3] * hours)
                spent = max(1, round(durations[made * size + acta] * speed[who] * (1 + rates[2] * hours)))
                end, begun, later = now + spent, now, stop
                while later < stops and stop_from[later] < end:
                    end += stop_to[later] - stop_from[later]
                    begun = stop_to[later]
                    later += 1
                heappush(events, (end, begun, sequence, who))
                sequence += 1
                tally[3] += spent
