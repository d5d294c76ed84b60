-- The effect that takes the line's money out of suspense at this moment: nobody's case can take it meanwhile.
alter table reconciliation.line_bookings add column leaving text;
