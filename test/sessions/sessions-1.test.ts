import { recordedSessions } from '../support/session-suite.ts'

recordedSessions(0, 3)
