// The program's version. It is a copy of package.json's, so that no file is read at start-up; a test compares both.
export const VERSION = '0.2.0';
