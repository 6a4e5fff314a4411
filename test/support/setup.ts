import { checkAnswersWith } from './api.ts';
import { checkAnswer } from './contract.ts';
import { endSharedWorld } from './shared.ts';

checkAnswersWith(checkAnswer);
endSharedWorld();
