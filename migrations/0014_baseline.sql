-- The opening position (期初台账): what the department handed over at adoption, and no unit has reported.

-- Its submissions count where the unit's own are missing, but they meet no obligation and are no version of any return.
ALTER TABLE submission ADD COLUMN baseline INTEGER NOT NULL DEFAULT 0 CHECK (baseline IN (0, 1));
ALTER TABLE past_submission ADD COLUMN baseline INTEGER NOT NULL DEFAULT 0;
