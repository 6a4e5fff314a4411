import { inject } from 'vitest';
import { checkAnswersWith } from './api.ts';
import { checkAnswer } from './contract.ts';
import './draws.ts';
import { endSharedWorld } from './shared.ts';

process.env.TMPDIR = inject('scratch');
checkAnswersWith(checkAnswer);
endSharedWorld();
