import { testWinograd } from './winograd.ts';

await testWinograd('SSE41');
