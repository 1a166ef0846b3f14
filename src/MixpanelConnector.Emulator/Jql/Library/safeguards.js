// Takes away, or bounds, what spends much memory or time in a single step, where no limit can look.
(function (host) {
  'use strict';

  const longest = 4 * 1024 * 1024, largestJson = 4 * 1024 * 1024, mostItems = 250_000, longestPattern = 10_000;
  const { stringify, parse } = JSON, { isArray } = Array, { apply } = Reflect;

  for (const name of ['ArrayBuffer', 'SharedArrayBuffer', 'DataView', 'Atomics', 'BigInt', 'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array',
    'Int32Array', 'Uint32Array', 'Float16Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'])
    delete globalThis[name];

  const replace = (holder, name, value) => Object.defineProperty(holder, name, { value, writable: true, configurable: true });

  function requireLength(length) {
    if (length > longest)
      throw new RangeError('Invalid string length');
  }

  function requireItems(count) {
    if (count > mostItems)
      throw new RangeError(`more than ${mostItems} items at once`);
  }

  const isText = value => typeof value === 'string' || value instanceof String;

  /** Of a text there is a property for each character, of a list for each item. */
  function requireFewProperties(value) {
    if (isText(value) || isArray(value))
      requireItems(value.length);
  }

  /** Each place in a text may give an item for each of the pattern's groups. */
  function requireFewPlaces(text, pattern) {
    const isPattern = pattern instanceof RegExp;
    if (!isPattern && pattern !== undefined)
      requirePattern(pattern);
    requireItems(String(text).length * (isPattern ? pattern.source.split('(').length : 1));
  }

  /** A pattern is kept as a tree that takes a hundred times as much. */
  function requirePattern(pattern) {
    if (!(pattern instanceof RegExp) && String(pattern).length > longestPattern)
      throw new RangeError(`a regular expression is longer than ${longestPattern} characters`);
  }

  /** What is like a list is read from 0 to its length, whatever it holds. */
  function requireFewElements(value) {
    if (isText(value) || (value !== null && typeof value === 'object' && !isArray(value)))
      requireItems(value.length);
  }

  /** Looks at what a function is given before it is called. */
  function guard(holder, names, look) {
    for (const name of names) {
      const original = holder[name];
      if (original !== undefined)
        replace(holder, name, function () {
          look(this, arguments);
          return apply(original, this, arguments);
        });
    }
  }

  // A text in parts, a list of what is only like one: each makes all of its items in one step.
  guard(String.prototype, ['match', 'matchAll', 'search'], (self, given) => requireFewPlaces(self, given[0]));
  guard(String.prototype, ['split', Symbol.iterator], (self, given) => requireFewPlaces(self, given[0] instanceof RegExp ? given[0] : undefined));
  guard(RegExp.prototype, [Symbol.match, Symbol.matchAll, Symbol.search, Symbol.split, Symbol.replace], (self, given) => requireFewPlaces(given[0], self));
  guard(Object, ['keys', 'values', 'entries', 'getOwnPropertyNames', 'getOwnPropertyDescriptors', 'freeze', 'seal'], (self, given) => requireFewProperties(given[0]));
  guard(Object, ['assign'], (self, given) => { for (let i = 1; i < given.length; i++) requireFewProperties(given[i]); });
  guard(Reflect, ['ownKeys'], (self, given) => requireFewProperties(given[0]));
  guard(Array, ['from'], (self, given) => requireFewElements(given[0]));
  guard(Array.prototype, ['concat', 'copyWithin', 'fill', 'includes', 'indexOf', 'lastIndexOf', 'reverse', 'slice', 'sort', 'splice', 'toReversed', 'toSorted', 'toSpliced', 'unshift', 'with'], requireFewElements);
  guard(Function.prototype, ['apply'], (self, given) => requireFewElements(given[1]));
  guard(Reflect, ['apply'], (self, given) => requireFewElements(given[2]));
  guard(Reflect, ['construct'], (self, given) => requireFewElements(given[1]));

  // The most that a character may become.
  const growing = (holder, names, most, text) => guard(holder, names, (self, given) => requireLength(String(text(self, given)).length * most));
  growing(globalThis, ['encodeURI', 'encodeURIComponent', 'escape'], 9, (self, given) => given[0]);
  growing(String.prototype, ['normalize'], 18, self => self);
  growing(String.prototype, ['toUpperCase', 'toLowerCase', 'toLocaleUpperCase', 'toLocaleLowerCase'], 3, self => self);

  // One match after the other, each of them a step.
  for (const [holder, name] of [[String.prototype, 'matchAll'], [RegExp.prototype, Symbol.matchAll]]) {
    const original = holder[name];
    replace(holder, name, function (of) {
      const matches = original.call(this, of);
      return { next() { return matches.next(); }, [Symbol.iterator]() { return this; } };
    });
  }

  const patterns = RegExp;
  replace(globalThis, 'RegExp', new Proxy(patterns, {
    apply(target, self, given) { requirePattern(given[0]); return apply(target, self, given); },
    construct(target, given, made) { requirePattern(given[0]); return Reflect.construct(target, given, made); },
  }));
  patterns.prototype.constructor = RegExp;
  delete patterns.prototype.compile;

  for (const name of ['repeat', 'padStart', 'padEnd']) {
    const original = String.prototype[name];
    replace(String.prototype, name, function (count, fill) {
      requireLength(name === 'repeat' ? String(this).length * count : count);
      return original.call(this, count, fill);
    });
  }

  for (const name of ['replace', 'replaceAll']) {
    const original = String.prototype[name];
    replace(String.prototype, name, function (pattern, replacement) {
      // What each place is replaced by can be as long as the text itself.
      if (typeof replacement !== 'function') {
        const text = String(this);
        replacement = String(replacement);
        const most = replacement.includes('$') ? replacement.length * (text.length + 1) : replacement.length;
        if (most * (text.length + 1) > longest) {
          const places = name === 'replaceAll' && !(pattern instanceof RegExp) ? text.split(pattern).length : pattern instanceof RegExp && pattern.global ? (text.match(pattern) ?? []).length : 1;
          requireLength(text.length + most * places);
        }
        return original.call(text, pattern, replacement);
      }
      let length = String(this).length;
      return original.call(this, pattern, (...found) => {
        const by = String(replacement(...found));
        requireLength(length += by.length);
        return by;
      });
    });
  }

  replace(String.prototype, 'concat', function (...texts) {
    let all = String(this);
    for (const text of texts)
      all += text;
    return all;
  });

  const joined = new Set();
  replace(Array.prototype, 'join', function (separator) {
    if (joined.has(this))
      return '';
    joined.add(this);
    try {
      const between = separator === undefined ? ',' : String(separator);
      let all = '';
      for (let i = 0; i < this.length; i++) {
        if (i > 0)
          all += between;
        if (this[i] !== undefined && this[i] !== null)
          all += this[i];
      }
      requireLength(all.length);
      return all;
    } finally {
      joined.delete(this);
    }
  });
  replace(Array.prototype, 'toString', function () { return isArray(this) ? this.join() : Object.prototype.toString.call(this); });

  function flatten(items, depth, into) {
    for (const item of items) {
      if (depth > 0 && isArray(item))
        flatten(item, depth - 1, into);
      else
        into.push(item);
    }
    return into;
  }
  replace(Array.prototype, 'flat', function (depth = 1) { return flatten(this, depth, []); });
  replace(Array.prototype, 'flatMap', function (each, self) { return flatten(this.map(each, self), 1, []); });

  replace(JSON, 'parse', (text, reviver) => {
    if (String(text).length > largestJson)
      throw new RangeError('JSON.parse: the text is too long');
    return parse(text, reviver);
  });
  replace(JSON, 'stringify', (value, replacer, space) => {
    host.measure(value);
    return stringify(value, replacer, space);
  });
})
