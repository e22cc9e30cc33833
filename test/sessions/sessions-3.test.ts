import { recordedSessions } from '../support/session-suite.ts'

recordedSessions(2, 3)
