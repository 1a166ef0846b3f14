// Takes away, or bounds, what spends much memory or time in a single step, where no limit can look.
(function (host) {
  'use strict';

  const longest = 16 * 1024 * 1024, largestJson = 4 * 1024 * 1024;
  const { stringify, parse } = JSON, { isArray } = Array;

  for (const name of ['ArrayBuffer', 'SharedArrayBuffer', 'DataView', 'Atomics', 'BigInt', 'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array',
    'Int32Array', 'Uint32Array', 'Float16Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'])
    delete globalThis[name];

  const replace = (holder, name, value) => Object.defineProperty(holder, name, { value, writable: true, configurable: true });

  function requireLength(length) {
    if (length > longest)
      throw new RangeError('Invalid string length');
  }

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
