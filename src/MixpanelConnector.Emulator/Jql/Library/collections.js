// Events(), People() and join(), and what is made of them. A collection gives its items one after the other, when it is asked for them.
(function (host) {
  'use strict';

  const { isArray } = Array, { stringify } = JSON;
  const mostReducers = 8, chunk = 1000, mostPending = 10000, mostAccumulators = 100;
  const givers = new WeakMap(), sources = new WeakMap();

  function requireFunction(value, where) {
    if (typeof value !== 'function')
      throw new TypeError(`${where} takes a function`);
    return value;
  }

  /** A list of reducers gives a list of results, a single one its result alone. */
  function reducersOf(given, where) {
    const list = isArray(given) ? given : [given];
    list.forEach(reduce => requireFunction(reduce, `${where}: a reducer must be a function; it`));
    if (list.length > mostReducers)
      throw new TypeError(`${where} accepts at most ${mostReducers} reducers`);
    return { list, shape: isArray(given) ? results => results : results => results[0] };
  }

  function scalar(value, where) {
    if (value === undefined || value === null)
      return null;
    if (value instanceof Date)
      return value.toJSON();
    if (typeof value === 'object' || typeof value === 'function' || typeof value === 'symbol')
      throw new TypeError(`${where} can only be a scalar: a string, a number, a boolean or null`);
    return value;
  }

  const keyPart = value => scalar(value, 'a part of a group key');

  /** What a part of a key specification makes of an item: alternatives, each of them a list of scalars. */
  function keyMaker(spec) {
    const inner = host.expandedBy(spec);
    if (inner === undefined) {
      const get = host.accessor(spec);
      return item => {
        const value = get(item);
        return [isArray(value) ? value.map(keyPart) : [keyPart(value)]];
      };
    }
    const makers = inner.map(of => {
      if (host.expandedBy(of) !== undefined)
        return keyMaker(of);
      const get = host.accessor(of);
      return item => {
        const value = get(item);
        return isArray(value) ? value.map(element => [keyPart(element)]) : [[keyPart(value)]];
      };
    });
    return item => combined(makers.map(make => make(item)));
  }

  function combined(parts) {
    if (parts.length === 1)
      return parts[0];
    let keys = [[]];
    for (const alternatives of parts)
      keys = alternatives.length === 1 ? keys.map(key => key.concat(alternatives[0])) : keys.flatMap(key => alternatives.map(alternative => key.concat(alternative)));
    return keys;
  }

  /** Tells keys apart; texts with their length, so that no two keys look the same. */
  function identityOf(key) {
    let id = '';
    for (let i = 0; i < key.length; i++) {
      const part = key[i];
      id += typeof part === 'string' ? `${part.length}:${part}` : typeof part === 'number' && !isFinite(part) ? 'null;' : `${part};`;
    }
    return id;
  }

  function keysMaker(specs) {
    const makers = (isArray(specs) ? specs : [specs]).map(keyMaker);
    return item => combined(makers.map(make => make(item)));
  }

  /** How one reducer goes over the items of one group: the built-in ones at once, those of scripts in chunks, as it would be done by several machines. */
  function reduction(reduce, isOfUser) {
    const parts = host.partsOf(reduce);
    if (parts !== undefined) {
      let state = parts.begin();
      return { add(item) { state = parts.add(state, item); }, fold() { }, end: () => parts.end(state) };
    }
    if (isOfUser) {
      let state;
      return { add() { }, fold(items) { state = reduce(state, items); }, end: () => state };
    }
    let accumulators = [];
    return {
      add() { },
      fold(items) {
        accumulators.push(reduce([], items));
        if (accumulators.length >= mostAccumulators)
          accumulators = [reduce(accumulators, [])];
      },
      end: () => accumulators.length === 0 ? reduce([], []) : accumulators.length === 1 ? accumulators[0] : reduce(accumulators, []),
    };
  }

  function group(reducers, isOfUser) {
    const reductions = reducers.list.map(reduce => reduction(reduce, isOfUser));
    const keepsItems = reducers.list.some(reduce => host.partsOf(reduce) === undefined);
    let pending = [];
    const self = {
      /** How many more items wait for a reducer. */
      add(item) {
        for (const each of reductions)
          each.add(item);
        if (!keepsItems)
          return 0;
        pending.push(item);
        return pending.length < chunk ? 1 : self.fold();
      },
      fold() {
        const items = pending;
        pending = [];
        if (items.length > 0)
          reductions.forEach(each => each.fold(items));
        return -Math.max(items.length - 1, 0);
      },
      result() {
        self.fold();
        return reducers.shape(reductions.map(each => each.end()));
      },
    };
    return self;
  }

  function grouped(give, keysOf, reducers, isOfUser) {
    return collection(sink => {
      const groups = new Map();
      let pending = 0;
      give(item => {
        for (const key of keysOf(item)) {
          const id = identityOf(key);
          let found = groups.get(id);
          if (found === undefined)
            groups.set(id, found = { key, group: group(reducers, isOfUser) });
          pending += found.group.add(item);
        }
        if (pending > mostPending) {
          groups.forEach(each => each.group.fold());
          pending = 0;
        }
      });
      groups.forEach(each => {
        host.step();
        sink({ key: each.key, value: each.group.result() });
      });
    });
  }

  function sorted(give, given, isDescending) {
    const get = host.accessor(given);
    return collection(sink => {
      const items = [], keys = [];
      give(item => {
        items.push(item);
        keys.push(scalar(get(item), 'a sort key'));
      });
      for (const index of host.order(keys, isDescending)) {
        host.step();
        sink(items[index]);
      }
    });
  }

  /** The first so many values of each part of the key, within the parts before it. */
  function limited(give, limits, most = Infinity) {
    if (!isArray(limits))
      throw new TypeError('applyGroupLimits takes a list of limits, and perhaps one for all');
    return collection(sink => {
      const seen = new Map();
      let left = most;
      give(item => {
        if (left <= 0 || !limits.every((limit, i) => {
          const within = stringify(item.key.slice(0, i)), value = stringify(item.key[i] ?? null);
          if (!seen.has(within))
            seen.set(within, new Set());
          const values = seen.get(within);
          return values.has(value) || (values.size < limit && values.add(value));
        }))
          return;
        left--;
        sink(item);
      });
    });
  }

  /**
   * @param give Calls a function with each item.
   * @param isSource Whether the items are as they were stored, so that they can be grouped by user.
   */
  function collection(give, isSource = false) {
    const made = {
      map(make) {
        requireFunction(make, 'map');
        return collection(sink => give(item => sink(make(item))));
      },
      filter(test) {
        requireFunction(test, 'filter');
        return collection(sink => give(item => { if (test(item)) sink(item); }), isSource);
      },
      flatten() {
        return collection(sink => give(item => {
          if (isArray(item))
            item.forEach(inner => sink(inner));
          else
            sink(item);
        }));
      },
      reduce(given) {
        const reducers = reducersOf(given, 'reduce');
        return collection(sink => {
          const all = group(reducers, false);
          give(item => { all.add(item); });
          sink(all.result());
        });
      },
      groupBy(keys, given) {
        return grouped(give, keysMaker(keys), reducersOf(given, 'groupBy'), false);
      },
      groupByUser(...given) {
        if (!isSource)
          throw new TypeError('groupByUser can only be called on Events(), People() or join(), or on a filter() of them');
        const more = keysMaker(given.length > 1 ? given[0] : []);
        const keysOf = item => item.distinct_id === undefined ? [] : more(item).map(key => [item.distinct_id, ...key]);
        return grouped(give, keysOf, reducersOf(given[given.length - 1], 'groupByUser'), true);
      },
      sortAsc: given => sorted(give, given, false),
      sortDesc: given => sorted(give, given, true),
      applyGroupLimits: (limits, most) => limited(give, limits, most),
    };
    givers.set(made, give);
    return made;
  }

  function source(handle) {
    const made = collection(sink => host.read(handle, sink), true);
    sources.set(made, handle);
    return made;
  }

  globalThis.Events = options => source(host.events(stringify(options ?? {})));
  globalThis.People = options => source(host.people(stringify(options ?? {})));
  globalThis.join = (left, right, options) => {
    if (!sources.has(left) || !sources.has(right))
      throw new TypeError('join takes Events() and People() as they are, without transformations');
    return source(host.join(sources.get(left), sources.get(right), stringify(options ?? {})));
  };

  /** Gives what main() has returned, item by item. */
  return (returned, sink) => {
    if (givers.has(returned))
      givers.get(returned)(sink);
    else if (isArray(returned))
      returned.forEach(item => sink(item));
    else
      throw new TypeError('main() must return a collection: Events(), People() or join(), or what their transformations make of them');
  };
})
