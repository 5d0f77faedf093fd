export { codes, type ErrorCode } from './codes.ts';
export { RobustError, type ErrorParts } from './error.ts';
export { nearest, suggestion } from './suggest.ts';
