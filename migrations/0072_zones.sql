-- Postgres has zones of its own, which may be older or newer than the runtime's. So what the runtime knows is told here, of the years
-- around now, and whatever asks what a clock shows asks here: one answer for the day of an invoice, a report and a booking. The cron
-- keeps the zones that are in use in step (src/jobs/zones.ts); these are IANA's of 2026c. Beyond the years that are told, and of a
-- zone nobody has told, Postgres answers.
create table app.zones (
  name text primary key,
  known_from timestamptz not null,
  known_until timestamptz not null,
  -- From changes[i] on the clock shows UTC plus offsets[i + 1] minutes.
  changes timestamptz[] not null,
  offsets int[] not null,
  told_at timestamptz not null default now(),
  check (cardinality(offsets) = cardinality(changes) + 1 and known_from < known_until)
);
grant select on app.zones to cp_app, cp_auth, cp_jobs, cp_definer;
grant insert, update on app.zones to cp_definer;

create function app.at_minute(p_minute bigint) returns timestamptz language sql immutable parallel safe set search_path = ''
  as $$ select timestamptz '1970-01-01 00:00:00Z' + p_minute * interval '1 minute' $$;

insert into app.zones (name, known_from, known_until, changes, offsets)
select n, '2025-01-01T00:00:00Z', '2037-01-01T00:00:00Z', array(select app.at_minute(m) from unnest(z.changes) with ordinality x (m, i) order by i), z.offsets
from (values
('Africa/Abidjan Africa/Accra Africa/Bamako Africa/Banjul Africa/Bissau Africa/Conakry Africa/Dakar Africa/Freetown Africa/Lome Africa/Monrovia Africa/Nouakchott Africa/Ouagadougou Africa/Sao_Tome America/Danmarkshavn Atlantic/Reykjavik Atlantic/St_Helena', '{}', '{0}'),
('Africa/Addis_Ababa Africa/Asmara Africa/Dar_es_Salaam Africa/Djibouti Africa/Kampala Africa/Mogadishu Africa/Nairobi Antarctica/Syowa Asia/Aden Asia/Amman Asia/Baghdad Asia/Bahrain Asia/Damascus Asia/Kuwait Asia/Qatar Asia/Riyadh Europe/Istanbul Europe/Kirov Europe/Minsk Europe/Moscow Europe/Simferopol Europe/Volgograd Indian/Antananarivo Indian/Comoro Indian/Mayotte', '{}', '{180}'),
('Africa/Algiers Africa/Bangui Africa/Brazzaville Africa/Douala Africa/Kinshasa Africa/Lagos Africa/Libreville Africa/Luanda Africa/Malabo Africa/Ndjamena Africa/Niamey Africa/Porto-Novo Africa/Tunis', '{}', '{60}'),
('Africa/Blantyre Africa/Bujumbura Africa/Gaborone Africa/Harare Africa/Johannesburg Africa/Juba Africa/Khartoum Africa/Kigali Africa/Lubumbashi Africa/Lusaka Africa/Maputo Africa/Maseru Africa/Mbabane Africa/Tripoli Africa/Windhoek Europe/Kaliningrad', '{}', '{120}'),
('Africa/Cairo', '{29092200,29364300,29616360,29888460,30150600,30412620,30674760,30936780,31198920,31460940,31723080,31995180,32247240,32519340,32781480,33043500,33305640,33567660,33829800,34091820,34353960,34615980,34878120,35150220}', '{120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120}'),
('Africa/Casablanca Africa/El_Aaiun', '{29004600,29065080,29518680,29569080,29831100}', '{60,0,60,0,60,0}'),
('Africa/Ceuta Arctic/Longyearbyen Europe/Amsterdam Europe/Andorra Europe/Belgrade Europe/Berlin Europe/Bratislava Europe/Brussels Europe/Budapest Europe/Busingen Europe/Copenhagen Europe/Gibraltar Europe/Ljubljana Europe/Luxembourg Europe/Madrid Europe/Malta Europe/Monaco Europe/Oslo Europe/Paris Europe/Podgorica Europe/Prague Europe/Rome Europe/San_Marino Europe/Sarajevo Europe/Skopje Europe/Stockholm Europe/Tirane Europe/Vaduz Europe/Vatican Europe/Vienna Europe/Warsaw Europe/Zagreb Europe/Zurich', '{29054940,29357340,29579100,29881500,30103260,30415740,30627420,30939900,31151580,31464060,31685820,31988220,32209980,32512380,32734140,33046620,33258300,33570780,33782460,34094940,34306620,34619100,34840860,35143260}', '{60,120,60,120,60,120,60,120,60,120,60,120,60,120,60,120,60,120,60,120,60,120,60,120,60}'),
('America/Adak', '{29025360,29368020,29549520,29892180,30083760,30426420,30607920,30950580,31132080,31474740,31656240,31998900,32180400,32523060,32714640,33057300,33238800,33581460,33762960,34105620,34287120,34629780,34811280,35153940}', '{-600,-540,-600,-540,-600,-540,-600,-540,-600,-540,-600,-540,-600,-540,-600,-540,-600,-540,-600,-540,-600,-540,-600,-540,-600}'),
('America/Anchorage America/Juneau America/Metlakatla America/Nome America/Sitka America/Yakutat', '{29025300,29367960,29549460,29892120,30083700,30426360,30607860,30950520,31132020,31474680,31656180,31998840,32180340,32523000,32714580,33057240,33238740,33581400,33762900,34105560,34287060,34629720,34811220,35153880}', '{-540,-480,-540,-480,-540,-480,-540,-480,-540,-480,-540,-480,-540,-480,-540,-480,-540,-480,-540,-480,-540,-480,-540,-480,-540}'),
('America/Anguilla America/Antigua America/Aruba America/Barbados America/Blanc-Sablon America/Boa_Vista America/Campo_Grande America/Caracas America/Cuiaba America/Curacao America/Dominica America/Grenada America/Guadeloupe America/Guyana America/Kralendijk America/La_Paz America/Lower_Princes America/Manaus America/Marigot America/Martinique America/Montserrat America/Port_of_Spain America/Porto_Velho America/Puerto_Rico America/Santo_Domingo America/St_Barthelemy America/St_Kitts America/St_Lucia America/St_Thomas America/St_Vincent America/Tortola', '{}', '{-240}'),
('America/Araguaina America/Argentina/Buenos_Aires America/Argentina/Catamarca America/Argentina/Cordoba America/Argentina/Jujuy America/Argentina/La_Rioja America/Argentina/Mendoza America/Argentina/Rio_Gallegos America/Argentina/Salta America/Argentina/San_Juan America/Argentina/San_Luis America/Argentina/Tucuman America/Argentina/Ushuaia America/Asuncion America/Bahia America/Belem America/Cayenne America/Coyhaique America/Fortaleza America/Maceio America/Montevideo America/Paramaribo America/Punta_Arenas America/Recife America/Santarem America/Sao_Paulo Antarctica/Palmer Antarctica/Rothera Atlantic/Stanley', '{}', '{-180}'),
('America/Atikokan America/Bogota America/Cancun America/Cayman America/Eirunepe America/Guayaquil America/Jamaica America/Lima America/Panama America/Rio_Branco', '{}', '{-300}'),
('America/Bahia_Banderas America/Belize America/Chihuahua America/Costa_Rica America/El_Salvador America/Guatemala America/Managua America/Merida America/Mexico_City America/Monterrey America/Regina America/Swift_Current America/Tegucigalpa Pacific/Galapagos', '{}', '{-360}'),
('America/Boise America/Cambridge_Bay America/Ciudad_Juarez America/Denver America/Inuvik', '{29025180,29367840,29549340,29892000,30083580,30426240,30607740,30950400,31131900,31474560,31656060,31998720,32180220,32522880,32714460,33057120,33238620,33581280,33762780,34105440,34286940,34629600,34811100,35153760}', '{-420,-360,-420,-360,-420,-360,-420,-360,-420,-360,-420,-360,-420,-360,-420,-360,-420,-360,-420,-360,-420,-360,-420,-360,-420}'),
('America/Chicago America/Indiana/Knox America/Indiana/Tell_City America/Matamoros America/Menominee America/North_Dakota/Beulah America/North_Dakota/Center America/North_Dakota/New_Salem America/Ojinaga America/Rankin_Inlet America/Resolute America/Winnipeg', '{29025120,29367780,29549280,29891940,30083520,30426180,30607680,30950340,31131840,31474500,31656000,31998660,32180160,32522820,32714400,33057060,33238560,33581220,33762720,34105380,34286880,34629540,34811040,35153700}', '{-360,-300,-360,-300,-360,-300,-360,-300,-360,-300,-360,-300,-360,-300,-360,-300,-360,-300,-360,-300,-360,-300,-360,-300,-360}'),
('America/Creston America/Dawson America/Dawson_Creek America/Fort_Nelson America/Hermosillo America/Mazatlan America/Phoenix America/Whitehorse', '{}', '{-420}'),
('America/Detroit America/Grand_Turk America/Indiana/Indianapolis America/Indiana/Marengo America/Indiana/Petersburg America/Indiana/Vevay America/Indiana/Vincennes America/Indiana/Winamac America/Iqaluit America/Kentucky/Louisville America/Kentucky/Monticello America/Nassau America/New_York America/Port-au-Prince America/Toronto', '{29025060,29367720,29549220,29891880,30083460,30426120,30607620,30950280,31131780,31474440,31655940,31998600,32180100,32522760,32714340,33057000,33238500,33581160,33762660,34105320,34286820,34629480,34810980,35153640}', '{-300,-240,-300,-240,-300,-240,-300,-240,-300,-240,-300,-240,-300,-240,-300,-240,-300,-240,-300,-240,-300,-240,-300,-240,-300}'),
('America/Edmonton', '{29025180,29367840,29549340}', '{-420,-360,-420,-360}'),
('America/Glace_Bay America/Goose_Bay America/Halifax America/Moncton America/Thule Atlantic/Bermuda', '{29025000,29367660,29549160,29891820,30083400,30426060,30607560,30950220,31131720,31474380,31655880,31998540,32180040,32522700,32714280,33056940,33238440,33581100,33762600,34105260,34286760,34629420,34810920,35153580}', '{-240,-180,-240,-180,-240,-180,-240,-180,-240,-180,-240,-180,-240,-180,-240,-180,-240,-180,-240,-180,-240,-180,-240,-180,-240}'),
('America/Havana', '{29024940,29367660,29549100,29891820,30083340,30426060,30607500,30950220,31131660,31474380,31655820,31998540,32179980,32522700,32714220,33056940,33238380,33581100,33762540,34105260,34286700,34629420,34810860,35153580}', '{-300,-240,-300,-240,-300,-240,-300,-240,-300,-240,-300,-240,-300,-240,-300,-240,-300,-240,-300,-240,-300,-240,-300,-240,-300}'),
('America/Los_Angeles America/Tijuana', '{29025240,29367900,29549400,29892060,30083640,30426300,30607800,30950460,31131960,31474620,31656120,31998780,32180280,32522940,32714520,33057180,33238680,33581340,33762840,34105500,34287000,34629660,34811160,35153820}', '{-480,-420,-480,-420,-480,-420,-480,-420,-480,-420,-480,-420,-480,-420,-480,-420,-480,-420,-480,-420,-480,-420,-480,-420,-480}'),
('America/Miquelon', '{29024940,29367600,29549100,29891760,30083340,30426000,30607500,30950160,31131660,31474320,31655820,31998480,32179980,32522640,32714220,33056880,33238380,33581040,33762540,34105200,34286700,34629360,34810860,35153520}', '{-180,-120,-180,-120,-180,-120,-180,-120,-180,-120,-180,-120,-180,-120,-180,-120,-180,-120,-180,-120,-180,-120,-180,-120,-180}'),
('America/Noronha Atlantic/South_Georgia', '{}', '{-120}'),
('America/Nuuk America/Scoresbysund', '{29054940,29357340,29579100,29881500,30103260,30415740,30627420,30939900,31151580,31464060,31685820,31988220,32209980,32512380,32734140,33046620,33258300,33570780,33782460,34094940,34306620,34619100,34840860,35143260}', '{-120,-60,-120,-60,-120,-60,-120,-60,-120,-60,-120,-60,-120,-60,-120,-60,-120,-60,-120,-60,-120,-60,-120,-60,-120}'),
('America/Santiago', '{29065140,29286960,29589300,29811120,30113460,30335280,30637620,30859440,31171860,31383600,31696020,31917840,32220180,32442000,32744340,32966160,33268500,33490320,33792660,34014480,34326900,34538640,34851060,35072880}', '{-180,-240,-180,-240,-180,-240,-180,-240,-180,-240,-180,-240,-180,-240,-180,-240,-180,-240,-180,-240,-180,-240,-180,-240,-180}'),
('America/St_Johns', '{29024970,29367630,29549130,29891790,30083370,30426030,30607530,30950190,31131690,31474350,31655850,31998510,32180010,32522670,32714250,33056910,33238410,33581070,33762570,34105230,34286730,34629390,34810890,35153550}', '{-210,-150,-210,-150,-210,-150,-210,-150,-210,-150,-210,-150,-210,-150,-210,-150,-210,-150,-210,-150,-210,-150,-210,-150,-210}'),
('America/Vancouver', '{29025240,29367900,29549400}', '{-480,-420,-480,-420}'),
('Antarctica/Casey Asia/Brunei Asia/Hong_Kong Asia/Irkutsk Asia/Kuala_Lumpur Asia/Kuching Asia/Macau Asia/Makassar Asia/Manila Asia/Shanghai Asia/Singapore Asia/Taipei Asia/Ulaanbaatar Australia/Perth', '{}', '{480}'),
('Antarctica/Davis Asia/Bangkok Asia/Barnaul Asia/Ho_Chi_Minh Asia/Hovd Asia/Jakarta Asia/Krasnoyarsk Asia/Novokuznetsk Asia/Novosibirsk Asia/Phnom_Penh Asia/Pontianak Asia/Tomsk Asia/Vientiane Indian/Christmas', '{}', '{420}'),
('Antarctica/DumontDUrville Asia/Ust-Nera Asia/Vladivostok Australia/Brisbane Australia/Lindeman Pacific/Chuuk Pacific/Guam Pacific/Port_Moresby Pacific/Saipan', '{}', '{600}'),
('Antarctica/Macquarie Australia/Hobart Australia/Melbourne Australia/Sydney', '{29064480,29326560,29588640,29850720,30112800,30374880,30636960,30899040,31161120,31433280,31695360,31957440,32219520,32481600,32743680,33005760,33267840,33529920,33792000,34054080,34316160,34588320,34850400,35112480}', '{660,600,660,600,660,600,660,600,660,600,660,600,660,600,660,600,660,600,660,600,660,600,660,600,660}'),
('Antarctica/Mawson Antarctica/Vostok Asia/Almaty Asia/Aqtau Asia/Aqtobe Asia/Ashgabat Asia/Atyrau Asia/Dushanbe Asia/Karachi Asia/Oral Asia/Qostanay Asia/Qyzylorda Asia/Samarkand Asia/Tashkent Asia/Yekaterinburg Indian/Kerguelen Indian/Maldives', '{}', '{300}'),
('Antarctica/McMurdo Pacific/Auckland', '{29064360,29316360,29588520,29840520,30112680,30364680,30636840,30888840,31161000,31423080,31695240,31947240,32219400,32471400,32743560,32995560,33267720,33519720,33791880,34043880,34316040,34578120,34850280,35102280}', '{780,720,780,720,780,720,780,720,780,720,780,720,780,720,780,720,780,720,780,720,780,720,780,720,780}'),
('Antarctica/Troll', '{29054940,29357340,29579100,29881500,30103260,30415740,30627420,30939900,31151580,31464060,31685820,31988220,32209980,32512380,32734140,33046620,33258300,33570780,33782460,34094940,34306620,34619100,34840860,35143260}', '{0,120,0,120,0,120,0,120,0,120,0,120,0,120,0,120,0,120,0,120,0,120,0,120,0}'),
('Asia/Anadyr Asia/Kamchatka Pacific/Fiji Pacific/Funafuti Pacific/Kwajalein Pacific/Majuro Pacific/Nauru Pacific/Tarawa Pacific/Wake Pacific/Wallis', '{}', '{720}'),
('Asia/Baku Asia/Dubai Asia/Muscat Asia/Tbilisi Asia/Yerevan Europe/Astrakhan Europe/Samara Europe/Saratov Europe/Ulyanovsk Indian/Mahe Indian/Mauritius Indian/Reunion', '{}', '{240}'),
('Asia/Beirut', '{29054760,29357100,29578920,29881260,30103080,30415500,30627240,30939660,31151400,31463820,31685640,31987980,32209800,32512140,32733960,33046380,33258120,33570540,33782280,34094700,34306440,34618860,34840680,35143020}', '{120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120}'),
('Asia/Bishkek Asia/Dhaka Asia/Omsk Asia/Thimphu Asia/Urumqi Indian/Chagos', '{}', '{360}'),
('Asia/Chita Asia/Dili Asia/Jayapura Asia/Khandyga Asia/Pyongyang Asia/Seoul Asia/Tokyo Asia/Yakutsk Pacific/Palau', '{}', '{540}'),
('Asia/Colombo Asia/Kolkata', '{}', '{330}'),
('Asia/Famagusta Asia/Nicosia Europe/Athens Europe/Bucharest Europe/Chisinau Europe/Helsinki Europe/Kyiv Europe/Mariehamn Europe/Riga Europe/Sofia Europe/Tallinn Europe/Vilnius', '{29054940,29357340,29579100,29881500,30103260,30415740,30627420,30939900,31151580,31464060,31685820,31988220,32209980,32512380,32734140,33046620,33258300,33570780,33782460,34094940,34306620,34619100,34840860,35143260}', '{120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120}'),
('Asia/Gaza Asia/Hebron', '{29073600,29355780,29577600,29879940,30101760,30414180,30625920,30938340,31150080,31462500,31684320,31986660,32208480,32510820,32732640,33045060,33256800,33569220,33780960,34093380,34305120,34617540,34839360,35131620}', '{120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120}'),
('Asia/Jerusalem', '{29052000,29357220,29576160,29881380,30100320,30415620,30624480,30939780,31148640,31463940,31682880,31988100,32207040,32512260,32731200,33046500,33255360,33570660,33779520,34094820,34303680,34618980,34837920,35143140}', '{120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120,180,120}'),
('Asia/Kabul', '{}', '{270}'),
('Asia/Kathmandu', '{}', '{345}'),
('Asia/Magadan Asia/Sakhalin Asia/Srednekolymsk Pacific/Bougainville Pacific/Efate Pacific/Guadalcanal Pacific/Kosrae Pacific/Noumea Pacific/Pohnpei', '{}', '{660}'),
('Asia/Tehran', '{}', '{210}'),
('Asia/Yangon Indian/Cocos', '{}', '{390}'),
('Atlantic/Azores', '{29054940,29357340,29579100,29881500,30103260,30415740,30627420,30939900,31151580,31464060,31685820,31988220,32209980,32512380,32734140,33046620,33258300,33570780,33782460,34094940,34306620,34619100,34840860,35143260}', '{-60,0,-60,0,-60,0,-60,0,-60,0,-60,0,-60,0,-60,0,-60,0,-60,0,-60,0,-60,0,-60}'),
('Atlantic/Canary Atlantic/Faroe Atlantic/Madeira Europe/Dublin Europe/Guernsey Europe/Isle_of_Man Europe/Jersey Europe/Lisbon Europe/London', '{29054940,29357340,29579100,29881500,30103260,30415740,30627420,30939900,31151580,31464060,31685820,31988220,32209980,32512380,32734140,33046620,33258300,33570780,33782460,34094940,34306620,34619100,34840860,35143260}', '{0,60,0,60,0,60,0,60,0,60,0,60,0,60,0,60,0,60,0,60,0,60,0,60,0}'),
('Atlantic/Cape_Verde', '{}', '{-60}'),
('Australia/Adelaide Australia/Broken_Hill', '{29064510,29326590,29588670,29850750,30112830,30374910,30636990,30899070,31161150,31433310,31695390,31957470,32219550,32481630,32743710,33005790,33267870,33529950,33792030,34054110,34316190,34588350,34850430,35112510}', '{630,570,630,570,630,570,630,570,630,570,630,570,630,570,630,570,630,570,630,570,630,570,630,570,630}'),
('Australia/Darwin', '{}', '{570}'),
('Australia/Eucla', '{}', '{525}'),
('Australia/Lord_Howe', '{29064420,29326530,29588580,29850690,30112740,30374850,30636900,30899010,31161060,31433250,31695300,31957410,32219460,32481570,32743620,33005730,33267780,33529890,33791940,34054050,34316100,34588290,34850340,35112450}', '{660,630,660,630,660,630,660,630,660,630,660,630,660,630,660,630,660,630,660,630,660,630,660,630,660}'),
('Pacific/Apia Pacific/Fakaofo Pacific/Kanton Pacific/Tongatapu', '{}', '{780}'),
('Pacific/Chatham', '{29064360,29316360,29588520,29840520,30112680,30364680,30636840,30888840,31161000,31423080,31695240,31947240,32219400,32471400,32743560,32995560,33267720,33519720,33791880,34043880,34316040,34578120,34850280,35102280}', '{825,765,825,765,825,765,825,765,825,765,825,765,825,765,825,765,825,765,825,765,825,765,825,765,825}'),
('Pacific/Easter', '{29065140,29286960,29589300,29811120,30113460,30335280,30637620,30859440,31171860,31383600,31696020,31917840,32220180,32442000,32744340,32966160,33268500,33490320,33792660,34014480,34326900,34538640,34851060,35072880}', '{-300,-360,-300,-360,-300,-360,-300,-360,-300,-360,-300,-360,-300,-360,-300,-360,-300,-360,-300,-360,-300,-360,-300,-360,-300}'),
('Pacific/Gambier', '{}', '{-540}'),
('Pacific/Honolulu Pacific/Rarotonga Pacific/Tahiti', '{}', '{-600}'),
('Pacific/Kiritimati', '{}', '{840}'),
('Pacific/Marquesas', '{}', '{-570}'),
('Pacific/Midway Pacific/Niue Pacific/Pago_Pago', '{}', '{-660}'),
('Pacific/Norfolk', '{29064420,29326500,29588580,29850660,30112740,30374820,30636900,30898980,31161060,31433220,31695300,31957380,32219460,32481540,32743620,33005700,33267780,33529860,33791940,34054020,34316100,34588260,34850340,35112420}', '{720,660,720,660,720,660,720,660,720,660,720,660,720,660,720,660,720,660,720,660,720,660,720,660,720}'),
('Pacific/Pitcairn', '{}', '{-480}')
) v (names, at, by), lateral (select v.at::int[] as changes, v.by::int[] as offsets) z, string_to_table(v.names, ' ') n;

-- As in 0059: what the wall clock of a zone shows, by the offsets that this transaction was told, else by those that are kept.
create or replace function app.local_at(p_zone text, p_at timestamptz) returns timestamp language plpgsql stable parallel safe set search_path = '' as $$
declare
  v_known constant jsonb := nullif(current_setting('app.clock', true), '')::jsonb -> p_zone;
  k_minute constant bigint := floor(extract(epoch from p_at) / 60);
  v_offset int;
begin
  if v_known is null then
    select z.offsets[1 + width_bucket(p_at, z.changes)] into v_offset from app.zones z
      where z.name = p_zone and p_at >= z.known_from and p_at < z.known_until;
    if v_offset is null then return p_at at time zone p_zone; end if;
  else
    select (o ->> 1)::int into v_offset from jsonb_array_elements(v_known) with ordinality x (o, n)
      where o ->> 0 is null or (o ->> 0)::bigint <= k_minute order by n desc limit 1;
  end if;
  return (p_at at time zone 'UTC') + make_interval(mins => v_offset);
end $$;

-- The first instant at which the wall clock has come to this or beyond: of a day its beginning, also where clocks are changed at midnight.
create function app.reached_at(p_zone text, p_local timestamp) returns timestamptz language sql stable parallel safe set search_path = '' as $$
  select coalesce((
    select min(r.at) from app.zones z, generate_subscripts(z.offsets, 1) i,
      lateral (select greatest(z.changes[i - 1], (p_local - make_interval(mins => z.offsets[i])) at time zone 'UTC') as at) r
    where z.name = p_zone and r.at < coalesce(z.changes[i], z.known_until)
      and (p_local at time zone 'UTC') between z.known_from + interval '1 day' and z.known_until - interval '1 day'),
    p_local at time zone p_zone)
$$;
grant execute on function app.at_minute(bigint), app.local_at(text, timestamptz), app.reached_at(text, timestamp) to cp_app, cp_auth, cp_jobs, cp_definer;

-- Zones in use: those told longest ago, or never, first.
create function app.zones_in_use(p_most int) returns setof text language sql stable security definer set search_path = '' as $$
  select u.zone from (select c.time_zone from public.companies c union select b.time_zone from public.branches b) u (zone)
    left join app.zones z on z.name = u.zone order by z.told_at nulls first, u.zone limit p_most
$$;

-- p_zones [{"name", "from", "until", "changes", "offsets"}], in minutes since 1970. Answers those that were told otherwise before.
create function app.tell_zones(p_zones jsonb) returns setof text language sql volatile security definer set search_path = '' as $$
  with told as materialized (
    select x.name, app.at_minute(x."from") as known_from, app.at_minute(x.until) as known_until, x.offsets,
      array(select app.at_minute(m) from unnest(x.changes) with ordinality y (m, i) order by i) as changes
    from jsonb_to_recordset(p_zones) x (name text, "from" bigint, until bigint, changes bigint[], offsets int[])),
  differing as materialized (
    select t.name from told t left join app.zones z on z.name = t.name
    where (z.known_from, z.known_until, z.changes, z.offsets) is distinct from (t.known_from, t.known_until, t.changes, t.offsets)),
  kept as (
    insert into app.zones (name, known_from, known_until, changes, offsets, told_at)
      select t.name, t.known_from, t.known_until, t.changes, t.offsets, clock_timestamp() from told t order by t.name
      on conflict (name) do update set known_from = excluded.known_from, known_until = excluded.known_until, changes = excluded.changes,
        offsets = excluded.offsets, told_at = excluded.told_at)
  select d.name from differing d
$$;
grant execute on function app.zones_in_use(int), app.tell_zones(jsonb) to cp_jobs;
alter function app.zones_in_use(int) owner to cp_definer;
alter function app.tell_zones(jsonb) owner to cp_definer;

-- As in 0051, by that clock.
set local role cp_definer;
create or replace function app.branch_day(p_company uuid, p_branch uuid, p_at timestamptz) returns date language plpgsql stable security definer set search_path = '' as $$
declare v_zone text;
begin
  select b.time_zone into v_zone from public.branches b where b.company_id = p_company and b.id = p_branch;
  perform app.refuse(v_zone is null, 'unknown_reference', '{"pointer": "/branchId", "detail": "There is no such branch."}');
  return app.local_at(v_zone, p_at)::date;
end $$;
set local role cp_owner;
