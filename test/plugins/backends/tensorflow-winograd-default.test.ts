import { testWinograd } from './winograd.ts';

await testWinograd('DEFAULT');
