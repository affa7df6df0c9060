"""The words people write above their columns, in the languages our businesses use.

Headers are compared after ``normalise``. Within one field the better word stands
first: a file with "Order Number" and "Reference" is keyed by the former.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum


class Field(StrEnum):
    """What a column can mean. ``IGNORE`` is left out, unlike an unmapped (custom) one."""

    ORDER_REF = "order_ref"
    ORDER_ID = "order_id"
    RECIPIENT = "recipient_name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    COMPANY = "company"
    ADDRESS = "address_full"
    LINE1 = "address_line1"
    HOUSE = "house_number"
    LINE2 = "address_line2"
    LINE3 = "address_line3"
    LINE4 = "address_line4"
    CITY = "city"
    REGION = "region"
    POSTCODE = "postcode"
    COUNTRY = "country"
    PHONE = "phone"
    EMAIL = "email"
    DATE = "delivery_date"
    FROM = "window_from"
    TO = "window_to"
    WINDOW = "window_text"
    SERVICE = "service_minutes"
    INSTRUCTIONS = "instructions"
    ITEM = "item_name"
    SKU = "item_sku"
    BARCODE = "item_barcode"
    QUANTITY = "item_qty"
    PARCELS = "parcels"
    WEIGHT = "weight"
    LAT = "lat"
    LON = "lon"
    DRIVER = "driver_or_vehicle"
    STOP_TYPE = "stop_type"
    COD = "cod_amount"
    CURRENCY = "currency"
    STATUS = "status"
    CANCELLED = "cancelled_at"
    NEEDS_SHIPPING = "requires_shipping"
    SHIPPING_METHOD = "shipping_method"
    CHANNEL = "channel"
    PAYMENT = "payment_method"
    TOTAL = "order_total"
    PRIORITY = "priority"
    SKILLS = "skills"
    OPTIONAL = "optional"
    PRIZE = "prize"
    READY = "ready_at"
    ON_BOARD = "max_minutes_on_board"
    LOADS = "further_loads"
    ONLY_DRIVER = "only_driver"
    NOT_DRIVERS = "not_drivers"
    GOODS = "goods"
    WISHED_FROM = "wished_from"
    WISHED_TO = "wished_to"
    WISHED_PRICE = "wished_per_hour"
    ACCESS = "minutes_to_the_door"
    APART = "kept_apart_from"
    FETCH_ADDRESS = "fetch_address"
    FETCH_LINE1 = "fetch_line1"
    FETCH_LINE2 = "fetch_line2"
    FETCH_POSTCODE = "fetch_postcode"
    FETCH_CITY = "fetch_city"
    FETCH_COUNTRY = "fetch_country"
    FETCH_LAT = "fetch_lat"
    FETCH_LON = "fetch_lon"
    FETCH_NAME = "fetch_name"
    FETCH_PHONE = "fetch_phone"
    FETCH_WINDOW = "fetch_window"
    FETCH_MINUTES = "fetch_minutes"
    FETCH_NOTE = "fetch_note"
    BRAND = "brand"
    TAGS = "tags"
    ATTRIBUTES = "note_attributes"
    IGNORE = "ignore"


def normalise(header: str) -> str:
    """``header`` without case, accents, spaces and signs: "Straße *" → "strasse"."""
    text = header.replace("ß", "ss").replace("ø", "o").replace("Ø", "o").replace("ł", "l")
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]", "", text)


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(normalise(word) for word in text.split("|") if normalise(word)))


# Header words as seen in shop exports, courier sheets and planners' templates (2026-11).
ALIASES: dict[Field, tuple[str, ...]] = {
    Field.ORDER_REF: _words(
        "Order Number|Order No|Order #|Order|Order ID|order_number|Order Ref|Order Reference"
        "|Invoice Number|Invoice No|Invoice|Bestellnummer|Bestellnr|Bestell-ID|Auftragsnummer"
        "|Auftragsnr|Sendungsreferenz|N° commande|Nº commande|Num commande|Numéro de commande"
        "|Commande|Pedido|Nº pedido|N.º pedido|Número de pedido|Ordine|Numero ordine|N. ordine"
        "|Ordernummer|Bestelnummer|Tilausnumero|Tilaus|D.O. No.|DO No|Job Reference Number"
        "|C_REF|External ID|Purchase Order Number|Receipt|Reference|Ref|Référence|Referencia"
        "|Riferimento|Referentie|Viite|Sales Record Number|Stop ID|Tracking No|ID"
    ),
    Field.ORDER_ID: (),  # only where the file's own make is recognised
    Field.RECIPIENT: _words(
        "Shipping Name|Ship Name|Ship To Name|Ship-to Name|Post to name|Recipient Full Name"
        "|Recipient Name|Recipient|Deliver to|Deliver To Name|C_CONSIGNEE_NAME|Consignee"
        "|Empfänger|Empfänger Name 1|Destinataire|Destinatario|Ontvanger|Vastaanottaja|Full name"
        "|Customer|Customer Name|Contact Name|Attention|Location name|Kunde|Name 1"
        "|Ansprechpartner|Cliente|Nome cliente|Klant|Naam|Client|Asiakas|Nimi|Buyer|Name"
    ),
    Field.FIRST_NAME: _words(
        "First Name|Firstname|shipping_first_name|Vorname|Prénom|Nombre|Nome|Voornaam|Etunimi"
    ),
    Field.LAST_NAME: _words(
        "Last Name|Lastname|Surname|shipping_last_name|Nachname|Nom|Apellidos|Apellido|Cognome"
        "|Achternaam|Sukunimi"
    ),
    Field.COMPANY: _words(
        "Shipping Company|Recipient Company|Recipient company name|Deliver To Business Name"
        "|C_CONSIGNEE_BUSINESS_NAME|Company|Company Name|Business Name|Organisation|Organization"
        "|Firma|Raison sociale|Société|Empresa|Razón social|Azienda|Ragione sociale|Bedrijf"
        "|Bedrijfsnaam|Yritys"
    ),
    Field.ADDRESS: _words(
        "Delivery Address|Shipping Address|Full Address|Address|Destination|Recipient Address"
        "|Lieferadresse|Lieferanschrift|Anschrift|Adresse de livraison|Dirección de envío"
        "|Dirección|Indirizzo di spedizione|Indirizzo|Bezorgadres|Toimitusosoite|Adresse|Adres"
        "|Osoite|Location"
    ),
    Field.LINE1: _words(
        "Shipping Address1|shipping_address_1|ship-address-1|Ship To Address 1|Post to address 1"
        "|Deliver To Address Line 1|C_CONSIGNEE_ADDRESS_1|SAAddressLine1|Address 1|Address1"
        "|Address Line 1|addr1|Address 1&2|Street Address|Street|Shipping Street|POAddressLine1"
        "|Straße|Straße und Hausnummer|Rue|Addresse 1|Adresse 1|Voie|Calle|Via|Straat"
        "|Katuosoite|Lähiosoite"
    ),
    Field.HOUSE: _words(
        "House Number|Street Number|address_number|Hausnr|Hausnummer|Empfänger Hausnummer"
        "|Numéro de rue|N°|Numéro|Número|Numero civico|Huisnummer|Huisnr|Talonumero"
    ),
    Field.LINE2: _words(
        "Shipping Address2|shipping_address_2|ship-address-2|Ship To Address 2|Post to address 2"
        "|Deliver To Address Line 2|C_CONSIGNEE_ADDRESS_2|SAAddressLine2|Address 2|Address2"
        "|Address Line 2|addr2|POAddressLine2|Apt|Apt/Suite|Suite|Unit|Flat|Building"
        "|Adresszusatz|Zusatz|Complément|Complément d'adresse|Adresse 2|Addresse 2|Bâtiment"
        "|Piso|Piso/Puerta|Interno|Scala|Toevoeging|Huisnummertoevoeging"
    ),
    Field.LINE3: _words(
        "ship-address-3|Ship To Address 3|Address 3|Address Line 3|addr3|SAAddressLine3"
        "|POAddressLine3|Deliver To Address Line 3"
    ),
    Field.LINE4: _words("SAAddressLine4|POAddressLine4|Address Line 4"),
    Field.CITY: _words(
        "Shipping City|ship-city|Ship To City|Post to city|Deliver To Suburb"
        "|C_CONSIGNEE_SUBURB|SACity|City|Town|City/Town|Suburb|Locality|POCity|Ort|Stadt"
        "|Empfänger Ort|Wohnort|Ville|Commune|Localité|Ciudad|Población|Localidad|Municipio"
        "|Città|Comune|Località|Plaats|Woonplaats|Stad|Kaupunki|Postitoimipaikka|Paikkakunta"
    ),
    Field.REGION: _words(
        "Shipping Province|ship-state|Ship To State|Post to county|Deliver To State"
        "|C_CONSIGNEE_STATE_CODE|SARegion|State Code|State|Province|Region|County"
        "|State/Province|Delivery state|PORegion|Bundesland|Kanton|Région|Département|Canton"
        "|Provincia|Prov|Comunidad autónoma|Provincie|Shipping Province Name"
    ),
    Field.POSTCODE: _words(
        "Shipping Zip|ship-postal-code|Ship Zipcode|Ship To Zip|Post to postcode"
        "|Deliver To Postcode|C_CONSIGNEE_POSTCODE|SAPostalCode|Zip|Zip Code|Zipcode|Postcode"
        "|Post Code|Postal Code|pcode|Delivery zip/postal code|Zip/Postal Code|Pincode"
        "|POPostalCode|PLZ|Postleitzahl|Code postal|CP|Código postal|C.P.|CAP|Codice postale"
        "|Postnummer|Postinumero"
    ),
    Field.COUNTRY: _words(
        "Shipping Country|ship-country|Ship To Country|Post to country|Delivery country"
        "|C_CONSIGNEE_COUNTRY_CODE|SACountry|Country Code|Country|Country/Region|POCountry"
        "|Land|Länderkürzel|Empfänger Land|Pays|País|Paese|Nazione|Stato|Maa"
    ),
    Field.PHONE: _words(
        "Shipping Phone|ship-phone-number|Ship To Phone|Post to phone|Recipient Phone"
        "|Recipient Phone Number|Deliver To Phone Number|C_CONSIGNEE_PHONE_NUMBER"
        "|Mobile livraison|Phone|Phone No.|Phone Number|Mobile|Cell|Tel|Telephone"
        "|Contact Number|buyer-phone-number|Telefon|Telefonnummer|Handy|Mobil|Téléphone|Tél"
        "|Portable|Teléfono|Móvil|Telefono|Cellulare|Telefoon|Mobiel|Puhelin|Puhelinnumero"
    ),
    Field.EMAIL: _words(
        "Recipient Email|Recipient Email Address|Email|E-mail|Email Address|Notify email"
        "|Contact email|buyer-email|Customer Email|E-Mail-Adresse|Courriel|Adresse e-mail"
        "|Correo|Correo electrónico|Posta elettronica|E-mailadres|Sähköposti"
    ),
    Field.DATE: _words(
        "Delivery Date|Trip Date|Scheduled Date|Service Date|Del Date|delivery-start-date"
        "|Fulfill by|Ship By Date|Lieferdatum|Liefertermin|Zustelltag|Date de livraison"
        "|Fecha de entrega|Data di consegna|Data consegna|Bezorgdatum|Leverdatum"
        "|Toimituspäivä|Date"
    ),
    Field.FROM: _words(
        "Time window from|TW1 From|Window from|Window start|Earliest Time|Earliest Arrival"
        "|Ready At|Del no earlier than|TIMEWINDOW_START|completeAfter|Arrival Time After"
        "|Start Time|Time from|Lieferzeit von|von|Heure début|à partir de|Hora desde|Desde"
        "|Dalle|Ora inizio|Van|Tijd vanaf|From"
    ),
    Field.TO: _words(
        "Time window to|TW1 To|Window to|Window end|Latest Time|Latest Arrival|Due By"
        "|Del no later than|TIMEWINDOW_STOP|completeBefore|Arrival Time Before|End Time|Time to"
        "|Until|Lieferzeit bis|bis|Heure fin|jusqu'à|Hora hasta|Hasta|Alle|Ora fine|Tot"
        "|Tijd tot|To"
    ),
    Field.WINDOW: _words(
        "Delivery window|Time window|Delivery time|Time slot|Delivery slot|Slot"
        "|AppointmentTime|Preferred time|Lieferzeit|Lieferfenster|Zeitfenster|Wunschzeit"
        "|Créneau|Créneau horaire|Horaire|Franja horaria|Horario|Fascia oraria|Orario|Tijdvak"
        "|Bezorgmoment|Aikaikkuna|Toimitusaika"
    ),
    Field.SERVICE: _words(
        "Service minutes|Service Time|Duration|Time at stop|Stop duration|Servicezeit|Standzeit"
        "|Durée|Temps de service|Duración|Durata|Duur|Stoptijd"
    ),
    Field.INSTRUCTIONS: _words(
        "Delivery Instructions|Delivery Notes|Instructions|Special instructions"
        "|C_DELIVERY_INSTRUCTION|CUSTOMER_DIRECTIVE|Customer Note|Customer Notes"
        "|Note from customer|Notes|Note|Buyer Note|Recipient Notes|Comments|Task_Details"
        "|Bemerkung|Anmerkung|Hinweis|Lieferhinweis|Kommentar|Remarque|Commentaire|Consignes"
        "|Observaciones|Notas|Comentarios|Nota|Istruzioni|Opmerking|Opmerkingen"
        "|Bezorginstructie|Huomautus|Lisätiedot"
    ),
    Field.ITEM: _words(
        "Lineitem name|Item Name|Item Title|product-name|Item Description|Order Lines/Product"
        "|Item|Product|Description|Artikel|Produkt|Bezeichnung|Produit|Article|Désignation"
        "|Producto|Artículo|Articulos|Prodotto|Articolo|Descrizione|Omschrijving|Tuote"
    ),
    Field.SKU: _words(
        "Lineitem sku|SKU|Item SKU|Custom Label|InventoryItemCode|Artikelnummer|Artikelnr"
        "|Référence article|Codice articolo|Artikelcode|Tuotekoodi"
    ),
    Field.BARCODE: _words("Barcode|EAN|GTIN|UPC|Strichcode|Code-barres|Viivakoodi"),
    Field.QUANTITY: _words(
        "Lineitem quantity|Quantity|Qty|quantity-purchased|Order Lines/Quantity|PRODUCT_COUNT"
        "|Menge|Anzahl|Stück|Quantité|Qté|Cantidad|Quantità|Q.tà|Aantal|Määrä|Kpl"
    ),
    Field.PARCELS: _words(
        "Parcels|Boxes|Packages|Pieces|Load #1|Load|Pakete|Packstücke|Colli|Colis|Nb colis"
        "|Bultos|Paquetes|Pakketten|Kollit"
    ),
    Field.WEIGHT: _words(
        "Item Weight|Weight|Weight (kg)|Weight (g)|Weight (lb)|Weight (oz)|Weight kg"
        "|Gewicht|Gewicht (kg)|Poids|Poids (kg)|Peso|Peso (kg)|Paino|Paino (kg)"
    ),
    Field.LAT: _words("Latitude|Lat|Breite|Breitengrad|Latitud|Latitudine|Breedtegraad"),
    Field.LON: _words("Longitude|Lng|Lon|Long|Länge|Längengrad|Longitud|Longitudine|Lengtegraad"),
    Field.DRIVER: _words(
        "Driver|Driver Name|Assign to|Assigned to|Vehicle|Route|Route Name|Fahrer|Fahrzeug|Tour"
        "|Chauffeur|Conducteur|Véhicule|Tournée|Conductor|Vehículo|Ruta|Autista|Veicolo|Giro"
        "|Bestuurder|Voertuig|Kuljettaja"
    ),
    Field.STOP_TYPE: _words("Order type|Stop Type|Detrack Job Type|Job Type|Task type|Pickup"),
    Field.COD: _words(
        "COD Amount|cod-collectible-amount|Amount to Collect|C_CTC_AMOUNT|Payment due"
        "|Nachnahme|Nachnahmebetrag|Service - Nachnahme - Betrag|Contre-remboursement"
        "|Contrareembolso|Contrassegno|Rembours|Postiennakko"
    ),
    Field.CURRENCY: _words("Currency|Currency code|order_currency|Währung|Devise|Moneda|Valuta"),
    Field.STATUS: _words("Order Status|Financial Status|Status|order_status"),
    Field.CANCELLED: _words("Cancelled at|Canceled at|cancelled_at"),
    Field.NEEDS_SHIPPING: _words("Lineitem requires shipping|Requires shipping"),
    Field.SHIPPING_METHOD: _words("Shipping Method|Delivery Method|Versandart"),
    Field.CHANNEL: (),  # only where the file's own make is recognised
    Field.PAYMENT: _words(
        "Payment Method Title|payment_method_title|Payment Method|Zahlungsart|Mode de paiement"
    ),
    Field.TOTAL: _words("Order Total Amount|Order Total|order_total|Total|Grand Total"),
    Field.PRIORITY: _words("Priority|Priorität|Priorité|Prioridad|Priorità|Prioriteit"),
    Field.SKILLS: _words("Skills|Required skills|Vehicle features"),
    Field.OPTIONAL: _words(
        "Optional|Can wait|Kann warten|Facultatif|Opcional|Facoltativo|Optioneel"
    ),
    Field.PRIZE: _words("Prize|Worth doing|Prämie|Prime|Premio|Premie"),
    Field.READY: _words("Goods ready|Goods ready at|Release time|Bereit ab|Abholbereit ab|Prêt à"),
    Field.ON_BOARD: _words(
        "Max minutes on board|Most minutes on board|Max ride time|Max Minuten an Bord"
        "|Höchstens an Bord (min)"
    ),
    Field.LOADS: _words("Further loads|Other loads|Weitere Ladung|Autres charges|Otras cargas"),
    Field.ONLY_DRIVER: _words(
        "Only driver|Required driver|Nur Fahrer|Seul chauffeur|Solo conductor"
    ),
    Field.NOT_DRIVERS: _words(
        "Not driver|Not drivers|Forbidden driver|Forbidden drivers|Excluded drivers|Nicht Fahrer"
    ),
    Field.GOODS: _words(
        "Kind of goods|Kinds of goods|Goods class|Goods classes|Warenart|Güterart"
        "|Type de marchandise"
    ),
    Field.WISHED_FROM: _words(
        "Wished from|Preferred from|Wunschzeit von|Wunsch ab|Souhaité de|Preferido desde"
    ),
    Field.WISHED_TO: _words(
        "Wished until|Preferred until|Wunschzeit bis|Wunsch bis|Souhaité à|Preferido hasta"
    ),
    Field.WISHED_PRICE: _words(
        "Wish per hour|Price per hour off the wish|Wunsch je Stunde|Souhait par heure"
    ),
    Field.ACCESS: _words(
        "Minutes to the door|Walk to the door (min)|Access minutes|Minuten zur Tür"
        "|Fußweg (min)|Minutes jusqu'à la porte"
    ),
    Field.APART: _words(
        "Kept apart from|Keep apart from|Never with|Not with order|Getrennt von|Nicht zusammen mit"
        "|Jamais avec|Nunca con"
    ),
    Field.FETCH_ADDRESS: _words(
        "Fetch at|Fetch address|Pickup address|Pick-up address|Collect from|Collection address"
        "|Abholadresse|Adresse d'enlèvement|Dirección de recogida|Indirizzo di ritiro"
        "|Ophaaladres|Nouto-osoite"
    ),
    Field.FETCH_LINE1: _words(
        "Fetch street|Pickup street|Pickup address 1|Pickup address line 1|Collection street"
        "|Collection address line 1|Abholstraße|Rue d'enlèvement"
    ),
    Field.FETCH_LINE2: _words(
        "Fetch address 2|Pickup address 2|Pickup address line 2|Collection address line 2"
    ),
    Field.FETCH_POSTCODE: _words(
        "Fetch postcode|Pickup postcode|Pickup zip|Pickup postal code|Collection postcode"
        "|Abhol-PLZ|Abholung PLZ"
    ),
    Field.FETCH_CITY: _words(
        "Fetch city|Pickup city|Pickup suburb|Collection city|Abholort|Ville d'enlèvement"
    ),
    Field.FETCH_COUNTRY: _words("Fetch country|Pickup country|Collection country|Abholland"),
    Field.FETCH_LAT: _words("Fetch latitude|Pickup latitude|Pickup lat|Collection latitude"),
    Field.FETCH_LON: _words(
        "Fetch longitude|Pickup longitude|Pickup lng|Pickup lon|Collection longitude"
    ),
    Field.FETCH_NAME: _words(
        "Fetch from|Pickup name|Pickup contact|Pickup contact name|Collection name"
        "|Collection contact|Abholung bei|Abholkontakt"
    ),
    Field.FETCH_PHONE: _words(
        "Fetch phone|Pickup phone|Pickup phone number|Collection phone|Abholtelefon"
    ),
    Field.FETCH_WINDOW: _words(
        "Fetch window|Fetch time|Pickup window|Pickup time|Pickup time window|Collection window"
        "|Collection time|Abholzeit|Abholfenster|Heure d'enlèvement"
    ),
    Field.FETCH_MINUTES: _words("Fetch minutes|Pickup minutes|Pickup service time|Abholminuten"),
    Field.FETCH_NOTE: _words(
        "Fetch note|Pickup instructions|Pickup notes|Pickup note|Collection instructions"
        "|Abholhinweis"
    ),
    Field.BRAND: _words("Brand|Store brand|Marke|Marque|Marca|Merk|Brändi"),
    Field.TAGS: _words("Tags|Labels"),
    Field.ATTRIBUTES: _words("Note Attributes"),
    Field.IGNORE: (),
}

KNOWN = frozenset(word for words in ALIASES.values() for word in words)
