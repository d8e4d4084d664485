// The program's version: package.json's, which a test compares, so that no file is read at start-up.
export const VERSION = '0.1.0';
