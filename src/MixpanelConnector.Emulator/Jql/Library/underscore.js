// The functions of Underscore that scripts use, as its documentation has them.
(function () {
  'use strict';

  const { isArray } = Array;
  const isObject = value => typeof value === 'function' || (typeof value === 'object' && value !== null);
  const isList = value => typeof value !== 'function' && value !== null && value !== undefined && Number.isInteger(value.length) && value.length >= 0;
  const keys = object => isObject(object) ? Object.keys(object) : [];
  const values = object => keys(object).map(key => object[key]);
  const has = (object, key) => object !== null && object !== undefined && Object.prototype.hasOwnProperty.call(object, key);
  const identity = value => value;
  const isMatch = (object, wanted) => keys(wanted).every(key => object !== null && object !== undefined && object[key] === wanted[key]);

  /** What a caller may give in place of a function: a property's name, properties to match, nothing. */
  function iteratee(value, self) {
    if (typeof value === 'function')
      return self === undefined ? value : value.bind(self);
    if (value === null || value === undefined)
      return identity;
    return isObject(value) && !isArray(value) ? object => isMatch(object, value) : object => object === null || object === undefined ? undefined : isArray(value) ? value.reduce((at, key) => at?.[key], object) : object[value];
  }

  /** Calls a function for each element of a list, or each property of an object, until it says false. */
  function walk(of, action) {
    if (isList(of)) {
      for (let i = 0; i < of.length; i++) {
        if (action(of[i], i) === false)
          return;
      }
      return;
    }
    for (const key of keys(of)) {
      if (action(of[key], key) === false)
        return;
    }
  }

  function each(of, action, self) {
    const call = iteratee(action, self);
    walk(of, (value, key) => { call(value, key, of); });
    return of;
  }

  function map(of, make, self) {
    const call = iteratee(make, self), made = [];
    walk(of, (value, key) => { made.push(call(value, key, of)); });
    return made;
  }

  function filter(of, test, self) {
    const call = iteratee(test, self), kept = [];
    walk(of, (value, key) => { if (call(value, key, of)) kept.push(value); });
    return kept;
  }

  function find(of, test, self) {
    const call = iteratee(test, self);
    let found;
    walk(of, (value, key) => {
      if (!call(value, key, of))
        return true;
      found = value;
      return false;
    });
    return found;
  }

  function reduce(of, step, ...initial) {
    let begun = initial.length > 0, state = initial[0];
    walk(of, (value, key) => {
      state = begun ? step(state, value, key, of) : value;
      begun = true;
    });
    return state;
  }

  function extreme(of, by, self, isBetter) {
    const call = iteratee(by, self);
    let best, bestRank;
    walk(of, (value, key) => {
      const rank = call(value, key, of);
      if (bestRank === undefined ? rank === rank && rank !== undefined && rank !== null : isBetter(rank, bestRank))
        [best, bestRank] = [value, rank];
    });
    return best;
  }

  function group(of, by, self, put) {
    const call = iteratee(by, self), groups = {};
    walk(of, (value, key) => { put(groups, call(value, key, of), value); });
    return groups;
  }

  function sortBy(of, by, self) {
    const call = iteratee(by, self);
    return map(of, (value, key) => ({ value, rank: call(value, key, of) }))
      .sort((a, b) => a.rank === b.rank ? 0 : a.rank === undefined || a.rank > b.rank ? 1 : b.rank === undefined || a.rank < b.rank ? -1 : 0)
      .map(entry => entry.value);
  }

  function flatten(lists, shallow, into = []) {
    walk(lists, value => {
      if (!isArray(value))
        into.push(value);
      else if (shallow === true)
        value.forEach(inner => into.push(inner));
      else
        flatten(value, shallow, into);
    });
    return into;
  }

  function uniq(list, by, self) {
    const call = iteratee(typeof by === 'boolean' ? self : by), seen = new Set();
    return filter(list, (value, i) => {
      const rank = call(value, i, list), isNew = !seen.has(rank);
      seen.add(rank);
      return isNew;
    });
  }

  function isEqual(a, b) {
    if (Object.is(a, b) || a === b)
      return true;
    if (!isObject(a) || !isObject(b) || isArray(a) !== isArray(b))
      return false;
    if (a instanceof Date && b instanceof Date)
      return a.getTime() === b.getTime();
    const names = keys(a);
    return names.length === keys(b).length && names.every(key => has(b, key) && isEqual(a[key], b[key]));
  }

  function range(start, end, step = 1) {
    if (end === undefined)
      [start, end] = [0, start];
    const numbers = [];
    for (let number = start; step > 0 ? number < end : step < 0 && number > end; number += step)
      numbers.push(number);
    return numbers;
  }

  const pickBy = (object, call) => Object.fromEntries(keys(object).filter(key => call(object[key], key, object)).map(key => [key, object[key]]));
  const choose = (object, chosen, isPicked) => typeof chosen[0] === 'function'
    ? pickBy(object, (value, key) => Boolean(chosen[0](value, key, object)) === isPicked)
    : pickBy(object, (_, key) => flatten(chosen).map(String).includes(key) === isPicked);
  const contains = (of, wanted) => (isList(of) ? Array.from(of) : values(of)).includes(wanted);
  const first = (list, count) => count === undefined ? list?.[0] : Array.from(list ?? []).slice(0, count);
  const last = (list, count) => count === undefined ? list?.[list.length - 1] : Array.from(list ?? []).slice(Math.max(list.length - count, 0));
  const rest = (list, from = 1) => Array.from(list ?? []).slice(from);
  const assign = (into, ...sources) => Object.assign(into, ...sources);

  const functions = {
    identity, iteratee, keys, values, has, isMatch, each, map, filter, find, reduce, sortBy, flatten, uniq, isEqual, range, contains, first, last, rest, isArray, isObject,
    constant: value => () => value,
    noop() { },
    property: name => iteratee(name),
    matcher: wanted => object => isMatch(object, wanted),
    reject: (of, test, self) => filter(of, (value, key) => !iteratee(test, self)(value, key, of)),
    every: (of, test, self) => filter(of, (value, key) => !iteratee(test, self)(value, key, of)).length === 0,
    some: (of, test, self) => filter(of, test, self).length > 0,
    reduceRight: (of, step, ...initial) => reduce(isList(of) ? Array.from(of).reverse() : values(of).reverse(), step, ...initial),
    pluck: (of, name) => map(of, iteratee(name)),
    where: (of, wanted) => filter(of, wanted),
    findWhere: (of, wanted) => find(of, wanted),
    invoke: (of, name, ...given) => map(of, value => typeof name === 'function' ? name.apply(value, given) : value[name](...given)),
    max: (of, by, self) => extreme(of, by, self, (a, b) => a > b) ?? (by === undefined ? -Infinity : undefined),
    min: (of, by, self) => extreme(of, by, self, (a, b) => a < b) ?? (by === undefined ? Infinity : undefined),
    groupBy: (of, by, self) => group(of, by, self, (groups, key, value) => { if (has(groups, key)) groups[key].push(value); else groups[key] = [value]; }),
    countBy: (of, by, self) => group(of, by, self, (groups, key) => { groups[key] = has(groups, key) ? groups[key] + 1 : 1; }),
    indexBy: (of, by, self) => group(of, by, self, (groups, key, value) => { groups[key] = value; }),
    partition: (of, test, self) => [filter(of, test, self), functions.reject(of, test, self)],
    toArray: of => map(of),
    size: of => isList(of) ? of.length : keys(of).length,
    initial: (list, count = 1) => Array.from(list).slice(0, Math.max(list.length - count, 0)),
    compact: list => filter(list, identity),
    without: (list, ...others) => filter(list, value => !others.includes(value)),
    difference: (list, ...others) => filter(list, value => !flatten(others, true).includes(value)),
    union: (...lists) => uniq(flatten(lists, true)),
    intersection: (list, ...others) => uniq(list).filter(value => others.every(other => contains(other, value))),
    zip: (...lists) => range(Math.max(0, ...lists.map(list => list.length))).map(i => lists.map(list => list[i])),
    object: (names, given) => Object.fromEntries(given ? map(names, (name, i) => [name, given[i]]) : Array.from(names)),
    indexOf: (list, value) => Array.from(list ?? []).indexOf(value),
    lastIndexOf: (list, value) => Array.from(list ?? []).lastIndexOf(value),
    findIndex: (list, test, self) => Array.from(list ?? []).findIndex(iteratee(test, self)),
    pairs: object => keys(object).map(key => [key, object[key]]),
    invert: object => Object.fromEntries(keys(object).map(key => [object[key], key])),
    mapObject: (object, make, self) => Object.fromEntries(keys(object).map(key => [key, iteratee(make, self)(object[key], key, object)])),
    assign, extend: assign,
    defaults: (into, ...sources) => { sources.forEach(source => each(source, (value, key) => { if (into[key] === undefined) into[key] = value; })); return into; },
    pick: (object, ...chosen) => choose(object, chosen, true),
    omit: (object, ...chosen) => choose(object, chosen, false),
    clone: value => !isObject(value) ? value : isArray(value) ? value.slice() : Object.assign({}, value),
    isEmpty: value => value === null || value === undefined || functions.size(value) === 0,
    isFunction: value => typeof value === 'function',
    isString: value => typeof value === 'string' || value instanceof String,
    isNumber: value => typeof value === 'number' || value instanceof Number,
    isBoolean: value => typeof value === 'boolean' || value instanceof Boolean,
    isDate: value => value instanceof Date,
    isRegExp: value => value instanceof RegExp,
    isNaN: value => typeof value === 'number' && value !== value,
    isFinite: value => typeof value !== 'symbol' && isFinite(value) && !isNaN(parseFloat(value)),
    isNull: value => value === null,
    isUndefined: value => value === undefined,
    times: (count, make) => range(count).map(i => make(i)),
    now: () => Date.now(),
  };
  Object.assign(functions, {
    forEach: each, collect: map, foldl: reduce, inject: reduce, foldr: functions.reduceRight, detect: find, select: filter, all: functions.every, any: functions.some,
    include: contains, includes: contains, head: first, take: first, tail: rest, drop: rest, unique: uniq, allKeys: keys,
  });

  /** A value wrapped by <c>_(…)</c>; after <c>_.chain(…)</c> each call is wrapped again, until <c>value()</c>. */
  class Wrapped {
    constructor(value, isChain) { this._wrapped = value; this._chain = isChain; }
    value() { return this._wrapped; }
    chain() { return new Wrapped(this._wrapped, true); }
  }
  for (const name of Object.keys(functions)) {
    Wrapped.prototype[name] = function (...given) {
      const result = functions[name](this._wrapped, ...given);
      return this._chain ? new Wrapped(result, true) : result;
    };
  }

  globalThis._ = Object.assign(value => new Wrapped(value, false), functions, { chain: value => new Wrapped(value, true) });
})
