import { inject } from 'vitest';
import { checkAnswersWith } from './api.ts';
import { deriveWith } from './company.ts';
import { checkAnswer } from './contract.ts';
import { cheapHash } from './derivation.ts';
import './draws.ts';
import { endSharedWorld } from './shared.ts';

process.env.TMPDIR = inject('scratch');
checkAnswersWith(checkAnswer);
if (!inject('thorough')) deriveWith(cheapHash);
endSharedWorld();
