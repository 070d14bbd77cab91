// Colours: functions that wrap a text in SGR codes, or leave it alone when there is nobody to see them.

export interface Style {
  readonly colour: boolean;
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  blue(text: string): string;
}

export function createStyle(colour: boolean): Style {
  const wrap = (open: number, close: number) => (text: string) => (colour && text !== "" ? `\x1b[${open}m${text}\x1b[${close}m` : text);
  return { colour, bold: wrap(1, 22), dim: wrap(2, 22), red: wrap(31, 39), green: wrap(32, 39), yellow: wrap(33, 39), blue: wrap(34, 39) };
}

export const plainStyle: Style = createStyle(false);
