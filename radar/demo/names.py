"""The words of the invented company: people, customers, texts. Nothing here decides anything."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from radar.demo.draws import Draws

VENDOR_DOMAIN = "lumenharbor.example"
COMPETITORS = ("Northlane", "Quillmetric", "Tallyforge", "Vantora", "Pellucid Suite")
INDUSTRIES = (
    "software",
    "manufacturing",
    "retail",
    "logistics",
    "healthcare",
    "education",
    "finance",
    "media",
    "energy",
    "hospitality",
)


@dataclass(frozen=True)
class Region:
    """Where a customer sits. A name is `native|latin` where the e-mail cannot be spelt from it."""

    country: str
    weight: int
    utc_offset_minutes: int
    weekend: tuple[int, int]  # Monday is 0
    given: tuple[str, ...]
    family: tuple[str, ...]
    company: tuple[str, ...]  # patterns with {a} and {b}
    first: tuple[str, ...]
    second: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


_FIRST = _words(
    "Amber,Anchor,Aspen,Beacon,Birch,Blue,Bright,Cedar,Clear,Cobalt,Copper,Coral,Crown,"
    "Delta,East,Ember,Fern,Field,First,Flint,Forge,Garnet,Glen,Golden,Granite,Green,"
    "Harbor,Hazel,High,Iron,Ivory,Juniper,Lake,Laurel,Linden,Maple,Marble,Meadow,Mill,"
    "Moss,North,Oak,Ocean,Opal,Orchard,Pine,Prairie,Quartz,Raven,Red,Ridge,River,Rowan,"
    "Sage,Silver,Slate,Spring,Stone,Summit,Thorn,Timber,Valley,West,Willow"
)
_SECOND = _words(
    "Analytics,Bakery,Botanics,Cargo,Ceramics,Chemicals,Clinics,Components,Design,Diagnostics,"
    "Dairy,Energy,Engineering,Fabrics,Farms,Films,Foods,Freight,Furniture,Games,Glass,"
    "Health,Hotels,Insurance,Interiors,Labs,Learning,Lighting,Logistics,Machines,Marine,"
    "Media,Metals,Mobility,Motors,Optics,Outdoor,Packaging,Paper,Partners,Pharma,Plastics,"
    "Press,Robotics,Schools,Software,Sports,Studios,Supply,Systems,Textiles,Tools,Travel,"
    "Water"
)
_LATIN = (_FIRST, _SECOND)
_SAT_SUN, _FRI_SAT = (5, 6), (4, 5)


REGIONS = (
    Region(
        "US",
        34,
        -300,
        _SAT_SUN,
        _words("Olivia,Liam,Ava,Noah,Maya,Ethan,Grace,Caleb,Zoe,Marcus,Ruth,Dylan,Naomi,Oscar,Tessa,Jonah"),
        _words(
            "Carter,Nguyen,Brooks,O'Neill,Ramirez,Whitfield,Park,Sullivan,Okafor,Bennett,Hayes,Kim,Walsh,Reyes"
        ),
        ("{a} {b} Inc.", "{a} {b} LLC", "{a} & {b}", "{a} {b}"),
        *_LATIN,
    ),
    Region(
        "GB",
        10,
        0,
        _SAT_SUN,
        _words("Imogen,Rhys,Aisling,Callum,Poppy,Seán,Freya,Hamish,Zoë,Owen,Siân,Niamh"),
        _words("Ashworth,MacLeod,Pemberton,Griffiths,Doyle,Hughes,Whittaker,Ní Bhriain,Forsyth,Adeyemi"),
        ("{a} {b} Ltd", "{a} {b} plc", "{a} {b}"),
        *_LATIN,
    ),
    Region(
        "DE",
        12,
        60,
        _SAT_SUN,
        _words("Jürgen,Anke,Björn,Käthe,Sören,Heike,Matthias,Jörg,Annika,Lukas,Ayşe,Friederike"),
        _words("Müller,Schäfer,Größmann,Weiß,Krüger,Yılmaz,Böhm,Lehmann,Hübner,Straßer,Vogel,Köhler"),
        ("{a} {b} GmbH", "{a} & Söhne {b} KG", "{a}{b} AG"),
        _words(
            "Nord,Süd,Alpen,Rhein,Elbe,Wald,Berg,Küsten,Hanse,Stern,Adler,Löwen,Silber,Kupfer,Eichen,Linden"
        ),
        _words("Technik,Logistik,Werke,Optik,Medien,Energie,Möbel,Maschinen,Druck,Handel,Pharma,Bäckerei"),
    ),
    Region(
        "FR",
        8,
        60,
        _SAT_SUN,
        _words("Amélie,Benoît,Chloé,François,Gaëlle,Hélène,Jérôme,Loïc,Maëlys,Noémie,Théo,Yaël"),
        _words("Lefèvre,Garçon,Dubois,Faure,Bérenger,Nuñez,Leroy,Marchand,Béranger,Chauvet,Diallo"),
        ("{a} {b} SAS", "Groupe {a} {b}", "{a} {b} SARL"),
        _words("Azur,Horizon,Loire,Étoile,Provence,Lumière,Océan,Forêt,Château,Aurore,Rivière,Écume"),
        _words("Conseil,Énergie,Médias,Logistique,Santé,Voyages,Textiles,Édition,Industrie,Formation"),
    ),
    Region(
        "ES",
        6,
        60,
        _SAT_SUN,
        _words("Íñigo,María,José,Begoña,Andrés,Lucía,Ramón,Nuria,Joaquín,Sofía,Álvaro,Inés"),
        _words("Muñoz,Peña,García,Ibáñez,Núñez,Ordóñez,Castaño,López,Fernández,Vázquez"),
        ("{a} {b} S.A.", "{a} {b} S.L.", "Grupo {a} {b}"),
        _words("Sol,Sierra,Levante,Costa,Norte,Río,Montaña,Olivo,Cumbre,Brisa,Ceiba,Roble"),
        _words("Logística,Energía,Alimentos,Viajes,Salud,Textil,Educación,Medios,Ingeniería,Cerámica"),
    ),
    Region(
        "SE",
        5,
        60,
        _SAT_SUN,
        _words("Åsa,Björn,Elin,Göran,Håkan,Ingrid,Märta,Nils,Örjan,Saga"),
        _words("Åkesson,Sjöberg,Nyström,Öhman,Lindqvist,Hägg,Ekström,Bergström"),
        ("{a} {b} AB", "{a}{b} AB"),
        _words("Fjäll,Björk,Sjö,Norr,Höga,Älv,Skog,Östra,Västra,Sten"),
        _words("Teknik,Frakt,Energi,Möbler,Hälsa,Media,Bygg,Industri"),
    ),
    Region(
        "PL",
        4,
        60,
        _SAT_SUN,
        _words("Łukasz,Małgorzata,Zofia,Grzegorz,Agnieszka,Paweł,Żaneta,Michał"),
        _words("Wójcik,Kowalczyk,Dąbrowska,Łęcki,Zielińska,Śliwa,Źrebiec,Nowak"),
        ("{a} {b} Sp. z o.o.", "{a} {b} S.A."),
        _words("Wisła,Tatry,Mazury,Bałtyk,Dąb,Świt,Źródło,Jodła"),
        _words("Logistyka,Energia,Meble,Zdrowie,Technika,Media,Druk,Podróże"),
    ),
    Region(
        "BR",
        5,
        -180,
        _SAT_SUN,
        _words("João,Antônia,Caçula,Luís,Conceição,Thiago,Débora,Inácio,Flávia"),
        _words("Conceição,Gonçalves,Araújo,Magalhães,Simões,Brandão,Falcão,Pires"),
        ("{a} {b} Ltda.", "{a} {b} S.A."),
        _words("Ipê,Maré,Serra,Açaí,Cacau,Aurora,Pantanal,Sabiá"),
        _words("Logística,Saúde,Educação,Energia,Varejo,Têxtil,Mídia,Alimentação"),
    ),
    Region(
        "JP",
        7,
        540,
        _SAT_SUN,
        _words(
            "健太|kenta,美咲|misaki,大輔|daisuke,陽子|yoko,翔太|shota,由美子|yumiko,直樹|naoki,さくら|sakura"
        ),
        _words(
            "佐藤|sato,鈴木|suzuki,高橋|takahashi,渡辺|watanabe,伊藤|ito,山本|yamamoto,中村|nakamura,小林|kobayashi"
        ),
        ("{a}{b}株式会社", "株式会社{a}{b}"),
        _words("青葉,光洋,富士見,朝日野,桜丘,北斗,東雲,若松,千歳,松風"),
        _words("システム,物流,電機,食品,製薬,出版,工業,観光,教育,建設"),
    ),
    Region(
        "SA",
        4,
        180,
        _FRI_SAT,
        _words(
            "محمد|mohammed,فاطمة|fatimah,خالد|khalid,نورة|noura,"
            "عبد الله|abdullah,ليلى|layla,يوسف|yousef,هند|hind"
        ),
        _words(
            "العتيبي|alotaibi,القحطاني|alqahtani,الزهراني|alzahrani,الشمري|alshammari,الحربي|alharbi,حداد|haddad"
        ),
        ("شركة {a} {b}", "مجموعة {a} {b}"),
        _words("النخيل,الواحة,الخليج,الرمال,النجوم,الأفق,الصفا,الوادي"),
        _words("للتقنية,للتجارة,للطاقة,للخدمات,للتعليم,للأغذية,للنقل,للإعلام"),
    ),
    Region(
        "IN",
        5,
        330,
        _SAT_SUN,
        _words("Aarav,Priya,Rohan,Ananya,Vikram,Meera,Arjun,Kavya,Ishaan,Lakshmi"),
        _words("Iyer,Deshpande,Banerjee,Kulkarni,Menon,Chaudhary,Reddy,Sheikh,Patel"),
        ("{a} {b} Pvt. Ltd.", "{a} {b} Limited"),
        *_LATIN,
    ),
)
REGIONS_BY_WEIGHT = tuple((region, region.weight) for region in REGIONS)


def person(draws: Draws, region: Region) -> tuple[str, str]:
    """Full name as people write it, and the local part of an e-mail address."""
    given, family = draws.pick(region.given), draws.pick(region.family)
    native_given, native_family = given.split("|")[0], family.split("|")[0]
    full = f"{native_family} {native_given}" if region.country == "JP" else f"{native_given} {native_family}"
    return full, f"{ascii_slug(given.split('|')[-1])}.{ascii_slug(family.split('|')[-1])}"


def customer(draws: Draws, region: Region) -> str:
    """The name of a customer company."""
    return draws.pick(region.company).format(a=draws.pick(region.first), b=draws.pick(region.second))


def ascii_slug(text: str) -> str:
    """Lower-case letters a to z of the text; empty where it has none."""
    plain = text.replace("ß", "ss").replace("ł", "l").replace("Ł", "L").replace("ı", "i")
    return re.sub(r"[^a-z]", "", unicodedata.normalize("NFKD", plain).lower())


TICKET_SUBJECTS = (
    "Report does not load",
    "How do we export to CSV?",
    "SSO login loop",
    "Numbers differ between two dashboards",
    "Invoice address",
    "API returns 429",
    "Cannot invite a colleague",
    "Integration stopped syncing",
    "Filter is lost after refresh",
    "Umlaute im Export kaputt",
    'Question about roles, permissions and "viewer" seats',
)
TICKET_OPENINGS = (
    "Hello team,",
    "Hi,",
    "Good morning,",
    "Guten Tag,",
    "Bonjour,",
    "お世話になっております。",
)
CALM_BODIES = (
    "the monthly report stays empty since this morning.\nCan you have a look?",
    "we would like to export all rows, not only the first page.\n\nThanks!",
    'two of us see different totals for the same week; the filter says "last 7 days", and the list says 6.',
    'our key, the one called "sync, nightly", needs more calls per minute. What is possible?',
    'one colleague cannot be invited. The page says: "seat limit reached".',
)
ANGRY_BODIES = (
    "this is the third time this month that the sync has stopped.\nNobody answered our last ticket.",
    "we lost a day of work again.\r\n\r\nWe need a call with somebody who can decide.",
    "still broken, still no answer. My team has stopped using it.",
    "promised for last quarter, not there yet; we cannot plan like this.",
)
COMPETITOR_BODIES = (
    "Our board has asked us to compare you with {name} before the renewal.",
    "{name} offers this in the basic plan.\nPlease tell us why we should stay.",
    "We had a demo of {name} yesterday, and the export simply worked.",
    "Colleagues in another unit moved to {name} last month.",
)
SURVEY_GOOD = (
    "Does what we need.",
    "Great support, quick answers!",
    "Sehr zufrieden, weiter so.",
    "レポートが見やすい。",
    'Onboarding was smooth, the team "just got it".',
    "",
)
SURVEY_MIXED = (
    "Fine, but exports are slow.",
    "Too many clicks, otherwise good.",
    "C'est correct, sans plus.",
    "",
    "",
)
SURVEY_BAD = (
    "Nobody on our side uses it any more.",
    "Too expensive for what we get.",
    "Support takes days,\nand then asks the same questions.",
    "",
)
PULSE_NOTES = {
    1: ("No answer to three mails.", "They talk about leaving."),
    2: ("Sponsor is hard to reach.", "Open tickets annoy them."),
    3: ("Steady, no plans to grow.", ""),
    4: ("Good call, two new use cases.", "Team trained, usage broad.", ""),
    5: ("Reference customer.", "Wants more seats next quarter.", ""),
}
MILESTONES = (
    "Kick-off held",
    "Data connected",
    "First report live",
    "Team trained",
    "Second team on board",
    "Business review",
    "Renewal plan agreed",
)
TIME_ZONES = {
    "US": "America/New_York",
    "GB": "Europe/London",
    "DE": "Europe/Berlin",
    "FR": "Europe/Paris",
    "ES": "Europe/Madrid",
    "SE": "Europe/Stockholm",
    "PL": "Europe/Warsaw",
    "BR": "America/Sao_Paulo",
    "JP": "Asia/Tokyo",
    "SA": "Asia/Riyadh",
    "IN": "Asia/Kolkata",
}
LANGUAGES = {"DE": "de", "ES": "es"}
"""Of the countries whose contacts read no English."""
