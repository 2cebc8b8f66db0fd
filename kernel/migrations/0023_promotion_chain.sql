-- SPDX-License-Identifier: Apache-2.0
-- A model's promotions are one chain: each follows one other, once, so that two people who decide at
-- the same moment cannot both follow the same champion; and a rollback names what it goes back to.
ALTER TABLE model_promotions
    ADD COLUMN previous_promotion_id text REFERENCES model_promotions,
    ADD COLUMN restored_promotion_id text REFERENCES model_promotions;

UPDATE model_promotions AS p
SET previous_promotion_id = b.before
FROM (
    SELECT promotion_id,
           lag(promotion_id) OVER (PARTITION BY model_name ORDER BY position) AS before
    FROM model_promotions
) AS b
WHERE b.promotion_id = p.promotion_id;

-- Of rollbacks from before: the nearest earlier promotion of their version and file that is still
-- beneath the champion.
DO $$
DECLARE
    one      record;
    of_model text;
    beneath  text[];
BEGIN
    FOR one IN
        SELECT promotion_id, model_name, version, digest, kind
        FROM model_promotions ORDER BY model_name, position
    LOOP
        IF of_model IS DISTINCT FROM one.model_name THEN
            of_model := one.model_name;
            beneath := '{}';
        END IF;
        IF one.kind <> 'rollback' THEN
            beneath := beneath || one.promotion_id;
            CONTINUE;
        END IF;
        WHILE cardinality(beneath) > 1 AND NOT EXISTS (
            SELECT FROM model_promotions AS p
            WHERE p.promotion_id = beneath[cardinality(beneath)]
              AND p.version = one.version AND p.digest = one.digest
        ) LOOP
            beneath := trim_array(beneath, 1);
        END LOOP;
        UPDATE model_promotions
        SET restored_promotion_id = beneath[cardinality(beneath)]
        WHERE promotion_id = one.promotion_id;
    END LOOP;
END
$$;

ALTER TABLE model_promotions
    ADD CONSTRAINT model_promotions_chain
        UNIQUE NULLS NOT DISTINCT (model_name, previous_promotion_id),
    ADD CONSTRAINT model_promotions_restored
        CHECK ((kind = 'rollback') = (restored_promotion_id IS NOT NULL));
