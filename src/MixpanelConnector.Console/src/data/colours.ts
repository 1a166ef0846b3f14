/** The backgrounds of charts, and the colours of their series: distinguishable with colour vision deficiencies, with a contrast of 3:1 to the background. */
export const grounds = { light: "#ffffff", dark: "#212327" };

export const palettes = {
  light: ["#6741d9", "#0b7285", "#d9480f", "#2b8a3e", "#c2255c", "#1971c2", "#8a6100", "#5c636a"],
  dark: ["#b197fc", "#3bc9db", "#ff922b", "#69db7c", "#faa2c1", "#74c0fc", "#ffd43b", "#adb5bd"],
};

/** The colour of refused records, everywhere. */
export const refused = { light: "#c92a2a", dark: "#ff8787" };

/** The contrast of two colours, as WCAG 2 defines it. */
export function contrast(one: string, other: string): number {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
