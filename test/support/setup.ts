import { checkAnswersWith } from './api.ts';
import { checkAnswer } from './contract.ts';

checkAnswersWith(checkAnswer);
