// mixpanel.*: accessors, which make a value of an item, and reducers, which make one value of many items.
(function (host) {
  'use strict';

  const { isArray } = Array, { stringify } = JSON;
  const hasOwn = (object, name) => Object.prototype.hasOwnProperty.call(object, name);
  const hour = 3600000, day = 24 * hour;

  /** The value at a path such as <c>properties.New Plan</c>. A property whose own name has dots is found, too. */
  function pathAccessor(path) {
    const parts = String(path).split('.');
    const rests = parts.map((_, i) => parts.slice(i).join('.'));
    return item => {
      let value = item;
      for (let i = 0; i < parts.length; i++) {
        if (value === undefined || value === null)
          return undefined;
        if (i > 0 && i < parts.length - 1 && typeof value === 'object' && hasOwn(value, rests[i]))
          return value[rests[i]];
        value = value[parts[i]];
      }
      return value;
    };
  }

  function accessor(given) {
    if (given === undefined)
      return item => item;
    if (typeof given === 'function')
      return given;
    if (typeof given === 'string')
      return pathAccessor(given);
    throw new TypeError('an accessor must be a function or the path of a property');
  }

  const numberOf = value => typeof value === 'number' && Number.isFinite(value) ? value : undefined;

  function toNumber(value) {
    if (typeof value === 'number')
      return value;
    if (value instanceof Date)
      return value.getTime() / 1000;
    if (typeof value !== 'string' || value.trim() === '')
      return undefined;
    if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(value)) {
      const moment = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(value) ? value : value + 'Z'); // seconds, as dates are numbers elsewhere
      return Number.isNaN(moment) ? undefined : moment / 1000;
    }
    const number = Number(value);
    return Number.isNaN(number) ? undefined : number;
  }

  function bucketOf(value, boundaries) {
    let [low, high] = [0, boundaries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (boundaries[middle] <= value)
        low = middle + 1;
      else
        high = middle;
    }
    return low === 0 ? undefined : boundaries[low - 1];
  }

  function numericBucket(given, spec) {
    const get = accessor(given);
    if (isArray(spec)) {
      const boundaries = spec.map(Number).sort((a, b) => a - b);
      return item => {
        const value = numberOf(get(item));
        return value === undefined ? undefined : bucketOf(value, boundaries);
      };
    }
    if (!(spec?.bucket_size > 0))
      throw new TypeError('numeric_bucket takes a list of boundaries, or an object with bucket_size and perhaps offset');
    const offset = spec.offset ?? 0;
    return item => {
      const value = numberOf(get(item));
      return value === undefined ? undefined : Math.floor((value - offset) / spec.bucket_size) * spec.bucket_size + offset;
    };
  }

  /** The first moments of calendar units of so many months, from 1970 to 2100. */
  function calendar(months) {
    const starts = [];
    for (let month = 0; month < 131 * 12; month += months)
      starts.push(Date.UTC(1970, month));
    return starts;
  }

  // A built-in reducer is a function, as scripts write reducers, and this: a state to begin with, what an item and another state add to it, and the result.
  const parts = new WeakMap();
  function reducer({ begin = () => undefined, add, merge, end = state => state }) {
    const reduce = (accumulators, items) => {
      let state = begin();
      for (const accumulator of accumulators ?? [])
        state = merge(state, accumulator);
      for (const item of items ?? [])
        state = add(state, item);
      return state;
    };
    parts.set(reduce, { begin, add, end });
    return reduce;
  }

  // The squared deviations from the mean are added up as they change (Welford), relative to the first value: the difference of the sums would lose the digits
  // of large values that are close together.
  function united(a, b) {
    if (a.count === 0 || b.count === 0)
      return a.count === 0 ? b : a;
    const count = a.count + b.count;
    const distance = b.origin - a.origin + (b.mean - a.mean);
    return {
      count,
      sum: a.sum + b.sum,
      sum_squares: a.sum_squares + b.sum_squares,
      origin: a.origin,
      mean: a.mean + distance * b.count / count,
      deviations: a.deviations + b.deviations + distance * distance * a.count * b.count / count,
    };
  }

  function summary(given, end) {
    const get = accessor(given);
    return reducer({
      begin: () => ({ count: 0, sum: 0, sum_squares: 0, origin: 0, mean: 0, deviations: 0 }),
      add(state, item) {
        const value = numberOf(get(item));
        if (value !== undefined) {
          state.count++;
          state.sum += value;
          state.sum_squares += value * value;
          if (state.count === 1)
            state.origin = value;
          const distance = value - state.origin - state.mean;
          state.mean += distance / state.count;
          state.deviations += distance * (value - state.origin - state.mean);
        }
        return state;
      },
      merge: united,
      end,
    });
  }

  const average = state => state.count === 0 ? null : state.sum / state.count;

  function extreme(given, isBetter) {
    const get = accessor(given);
    const better = (a, b) => a === undefined || (b !== undefined && isBetter(b, a)) ? b : a;
    return reducer({ add: (state, item) => better(state, numberOf(get(item))), merge: better, end: state => state ?? null });
  }

  function extremeBy(given, isBetter) {
    const get = accessor(given);
    const better = (a, b) => a === undefined || (b !== undefined && isBetter(b.rank, a.rank)) ? b : a;
    return reducer({
      add(state, item) {
        const rank = numberOf(get(item));
        return rank === undefined ? state : better(state, { rank, item });
      },
      merge: better,
      end: state => state === undefined ? null : state.item,
    });
  }

  function merged(into, from) {
    if (typeof into === 'number' && typeof from === 'number')
      return into + from;
    if (typeof from !== 'object' || from === null || isArray(from))
      return from === undefined ? into : from;
    const both = typeof into === 'object' && into !== null && !isArray(into) ? into : {};
    for (const name of Object.keys(from))
      both[name] = merged(hasOwn(both, name) ? both[name] : undefined, from[name]);
    return both;
  }

  function percentiles(given, wanted) {
    const get = accessor(given);
    for (const percentile of isArray(wanted) ? wanted : [wanted]) {
      if (!(percentile > 0 && percentile < 100))
        throw new TypeError('a percentile must be a number between 0 and 100');
    }
    return reducer({
      begin: () => [],
      add(state, item) {
        const value = numberOf(get(item));
        if (value !== undefined)
          state.push(value);
        return state;
      },
      merge: (a, b) => a.concat(b),
      end(state) {
        const order = host.order(state, false);
        const at = percentile => order.length === 0 ? null : state[order[Math.ceil(percentile / 100 * order.length) - 1]];
        return isArray(wanted) ? wanted.map(percentile => ({ percentile, value: at(percentile) })) : at(wanted);
      },
    });
  }

  function top(limit) {
    if (!(limit > 0))
      throw new TypeError('top takes a positive number');
    const add = (state, item) => {
      let at = state.length;
      while (at > 0 && item.value > state[at - 1].value)
        at--;
      if (at < limit) {
        state.splice(at, 0, item);
        state.length = Math.min(state.length, limit);
      }
      return state;
    };
    return reducer({ begin: () => [], add, merge: (a, b) => b.reduce(add, a) });
  }

  const first = () => reducer({ add: (state, item) => state === undefined ? item : state, merge: (a, b) => a === undefined ? b : a });
  const nothing = () => reducer({ begin: () => null, add: () => null, merge: () => null });

  const expanded = new WeakMap();
  function multipleKeys(specs) {
    const marker = {};
    expanded.set(marker, isArray(specs) ? specs : [specs]);
    return marker;
  }

  globalThis.mixpanel = {
    reducer: {
      count: () => reducer({ begin: () => 0, add: state => state + 1, merge: (a, b) => a + b }),
      sum: given => summary(given, state => state.sum),
      avg: given => summary(given, average),
      numeric_summary: given => summary(given, ({ count, sum, sum_squares, deviations }) => ({ count, sum, sum_squares, avg: average({ count, sum }), stddev: count === 0 ? null : Math.sqrt(deviations / count) })),
      numeric_percentiles: percentiles,
      min: given => extreme(given, (a, b) => a < b),
      max: given => extreme(given, (a, b) => a > b),
      min_by: given => extremeBy(given, (a, b) => a < b),
      max_by: given => extremeBy(given, (a, b) => a > b),
      top,
      object_merge: () => reducer({ begin: () => ({}), add: merged, merge: merged }),
      any: first,
      null: nothing,
      noop: nothing,
    },
    to_number(given) { const get = accessor(given); return item => toNumber(get(item)); },
    to_string(given) { const get = accessor(given); return item => { const value = get(item); return value === undefined || value === null ? undefined : typeof value === 'object' ? stringify(value) : String(value); }; },
    to_boolean(given) { const get = accessor(given); return item => { const value = get(item); return value === 'true' ? true : value === 'false' ? false : value === undefined ? undefined : Boolean(value); }; },
    slice(given, start, limit) { const get = accessor(given); return item => { const list = get(item); return isArray(list) ? list.slice(start, limit) : list; }; },
    numeric_bucket: numericBucket,
    multiple_keys: multipleKeys,
    hourly_time_buckets: { bucket_size: hour },
    daily_time_buckets: { bucket_size: day },
    weekly_time_buckets: { bucket_size: 7 * day, offset: 4 * day }, // the first Monday of 1970
    get monthly_time_buckets() { return calendar(1); },
    get quarterly_time_buckets() { return calendar(3); },
    get annual_time_buckets() { return calendar(12); },
  };

  host.accessor = accessor;
  host.partsOf = reduce => parts.get(reduce);
  host.expandedBy = spec => typeof spec === 'object' && spec !== null ? expanded.get(spec) : undefined;
})
