import { recordedSessions } from '../support/session-suite.ts'

recordedSessions(1, 3)
