-- Forty entities with names of 200 characters and 25 runs a day each. Some names have no place to
-- break a line, others are written from right to left or stack marks on their letters; so are the
-- errors. Some runs are unusual.
with recursive
    numbers(n) as (select 0 union all select n + 1 from numbers where n < 39),
    runs(back) as (select 0 union all select back + 1 from runs where back < 25 * 8),
    entities(n, name, error) as (
        select n,
               substr(replace(printf('%.*c', 200, 'x'), 'x', case n % 5
                   when 0 then 'מלאי ' || n || ' חנות '
                   when 1 then 'مخزون (' || n || ') المتجر '
                   when 2 then 'unbreakable' || n
                   when 3 then 'two_words_' || n || '_'
                   else 'Z̧̦͑͗a̛̗l̴̛g̷o̶ ' || n || ' 在庫 สินค้า ' end), 1, 200),
               case n % 3
                   when 0 then 'خطأ في الاتصال (404): https://example.org/api?x=1 — פג תוקף הטוקן [3/7]! '
                   when 1 then 'Error at https://example.org/' || printf('%.*c', 300, 'z')
                   else 'Z̧̦͑͗a̛̗l̴̛g̷o̶ <b>接続できません</b> ' || char(10) || char(10) || 'ไม่สามารถเชื่อมต่อได้' end
        from numbers)
insert into sync_log (timestamp, entity_type, action, status, duration_seconds, records_processed, error_details)
select strftime('%Y-%m-%dT%H:%M:%SZ', '2026-11-22T19:22:00Z', '-' || (back * 3456) || ' seconds'), name,
       case n % 2 when 0 then 'تحديث' else printf('%.*c', 60, 'y') end,
       case when (n + back) % 3 = 0 then 'failed' when (n + back) % 17 = 1 then 'started' else 'completed' end,
       n * 1000, case when n in (2, 4) and back < 3 then 0 else n * 123456 end, case when (n + back) % 3 = 0 then error end
from entities, runs;
