import { testWinograd } from './winograd.ts';

await testWinograd('AVX2');
