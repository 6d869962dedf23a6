// Intercity lines: a name, and the places that they run through.
export const corridors = `
IC 1: Genève, Lausanne, Fribourg, Bern, Olten, Zürich, Winterthur, Sankt Gallen
IC 5: Lausanne, Yverdon, Neuchâtel, Biel, Olten, Zürich
IC 2: Zürich, Arth-Goldau, Göschenen, Bellinzona, Lugano
IC 6: Basel, Olten, Bern, Thun, Brig
IC 61: Basel, Olten, Bern, Thun, Interlaken
IR 90: Genève, Lausanne, Sion, Brig
EC 52: Brig, Domodossola, Novara, Milano
EC 21: Basel, Olten, Luzern, Arth-Goldau, Göschenen, Bellinzona, Lugano, Como, Milano
EC 7: Zürich, Winterthur, Sankt Gallen, Bregenz, München
IC 3: Basel, Zürich, Chur
IR 37: Basel, Aarau, Zürich, Sankt Gallen
IR 15: Genève, Lausanne, Fribourg, Bern, Luzern
IC 51: Basel, Delémont, Biel
IC 4: Zürich, Schaffhausen, Stuttgart
RE 48: Basel, Schaffhausen, Konstanz
RE 33: Annecy, Genève
TGV 92: Paris, Dijon, Mulhouse, Basel, Zürich
TGV 96: Paris, Dijon, Besançon, Lausanne
TGV 9: Paris, Lyon, Genève
ICE 12: Interlaken, Thun, Bern, Olten, Basel, Freiburg, Karlsruhe, Mannheim, Frankfurt
ICE 43: Basel, Freiburg, Strasbourg, Karlsruhe, Mannheim, Mainz, Koblenz, Köln, Dortmund, Hannover, Hamburg
ICE 20: Hamburg, Hannover, Göttingen, Kassel, Frankfurt, Mannheim, Karlsruhe, Basel, Zürich
ICE 11: München, Augsburg, Ulm, Stuttgart, Mannheim, Frankfurt, Kassel, Göttingen, Berlin
ICE 25: München, Nürnberg, Würzburg, Kassel, Göttingen, Hannover, Hamburg
ICE 18: Hamburg, Berlin, Halle, Erfurt, Nürnberg, München
ICE 10: Berlin, Hannover, Dortmund, Düsseldorf, Köln
ICE 50: Dresden, Leipzig, Erfurt, Frankfurt, Mainz
ICE 91: Dortmund, Köln, Koblenz, Mainz, Frankfurt, Würzburg, Nürnberg, Regensburg, Passau, Linz, Wien
ICE 78: Frankfurt, Köln, Düsseldorf, Arnhem, Utrecht, Amsterdam
IC 77: Berlin, Magdeburg, Hannover, Osnabrück, Amsterdam
IC 30: Hamburg, Bremen, Osnabrück, Münster, Dortmund, Köln
IC 57: Leipzig, Magdeburg, Hannover, Bremen
IC 26: Rostock, Schwerin, Hamburg
IC 76: Hamburg, Kiel
EC 75: Hamburg, Flensburg, Kolding, Odense, København
IC 71: København, Odense, Kolding, Aarhus
EC 27: Hamburg, Berlin, Dresden, Ústí, Praha, Pardubice, Brno, Bratislava, Győr, Budapest
RJ 60: Zürich, Bregenz, Innsbruck, Rosenheim, Salzburg, Linz, Wien
RJ 62: München, Rosenheim, Salzburg, Linz, Wien, Győr, Budapest
EC 80: München, Rosenheim, Innsbruck, Bolzano, Trento, Verona, Bologna
RJ 70: Praha, Pardubice, Brno, Wien, Bruck, Graz
RJ 31: Wien, Bruck, Klagenfurt, Villach, Udine, Venezia
EC 150: Wien, Graz, Maribor, Ljubljana, Trieste
EC 113: Frankfurt, Stuttgart, Ulm, München, Salzburg, Villach, Ljubljana, Zagreb
EC 40: Berlin, Rzepin, Poznań, Łódź, Warszawa
EC 95: Berlin, Rzepin, Legnica, Wrocław, Opole, Katowice, Kraków
IC 54: Gdańsk, Olsztyn, Warszawa, Kielce, Kraków, Rzeszów, Lviv
IC 81: Szczecin, Poznań, Łódź, Częstochowa, Katowice
IC 35: Gdańsk, Bydgoszcz, Poznań, Wrocław
IC 58: Bydgoszcz, Toruń, Warszawa, Lublin
IC 66: Warszawa, Białystok
EC 10: Praha, Olomouc, Ostrava, Katowice, Warszawa
EC 12: Praha, Pardubice, Olomouc, Žilina, Košice
IC 55: Praha, Plzeň, Regensburg, München
IC 33: Praha, České Budějovice, Linz
IC 52: Budapest, Szolnok, Debrecen, Oradea, Cluj
IC 50: Budapest, Miskolc, Košice
IC 80: Budapest, Székesfehérvár, Pécs
IC 73: Budapest, Szeged, Timișoara, Craiova, București
IC 74: București, Ploiești, Brașov, Sibiu, Cluj
IC 78: București, Bacău, Iași
IC 82: București, Constanța
EC 345: Budapest, Novi Sad, Beograd, Niš, Sofia, Plovdiv, Burgas
EC 43: Zagreb, Osijek, Novi Sad, Beograd
IC 34: Beograd, Niš, Skopje, Thessaloníki, Lárisa, Lamía, Athína
IC 37: Sofia, Vidin, Craiova
IC 20: Ljubljana, Rijeka, Zagreb
FR 95: Torino, Milano, Parma, Bologna, Firenze, Roma, Napoli, Salerno
FR 97: Milano, Verona, Padova, Venezia
FR 88: Bologna, Rimini, Ancona, Pescara, Foggia, Bari, Lecce
FR 84: Roma, Foggia, Bari
IC 65: Torino, Alessandria, Genova, La Spezia, Pisa, Grosseto, Roma
IC 66: Milano, Alessandria, Genova
IC 68: Venezia, Udine, Trieste
IC 72: Napoli, Salerno, Cosenza
IC 67: Firenze, Pisa
TGV 62: Paris, Lyon, Valence, Avignon, Marseille, Nice, Genova
TGV 68: Lyon, Valence, Montpellier, Perpignan, Girona, Barcelona
TGV 85: Paris, Orléans, Tours, Poitiers, Bordeaux, Bayonne, Bilbao
TGV 86: Paris, Le Mans, Rennes, Brest
TGV 89: Le Mans, Nantes
TGV 25: Paris, Reims, Metz, Luxembourg
TGV 24: Paris, Reims, Nancy, Strasbourg, Karlsruhe, Stuttgart, Ulm, München
TGV 98: Lyon, Chambéry, Torino, Milano
IC 48: Paris, Orléans, Limoges, Toulouse
IC 45: Bordeaux, Toulouse, Carcassonne, Montpellier, Marseille
IC 59: Paris, Clermont-Ferrand
IC 31: Paris, Rouen, Le Havre
IC 32: Paris, Caen
IC 47: Lyon, Grenoble
IC 46: Lyon, Clermont-Ferrand, Limoges, Bordeaux
IC 49: Nantes, Poitiers, Limoges
IC 90: Nancy, Metz, Luxembourg, Liège, Bruxelles
ICE 79: Bruxelles, Liège, Aachen, Köln
ES 91: London, Ashford, Calais, Lille, Paris
ES 93: London, Ashford, Calais, Lille, Bruxelles, Antwerpen, Rotterdam, Amsterdam
IC 23: Lille, Gent, Antwerpen, Eindhoven, Arnhem
IC 24: Rotterdam, Utrecht, Groningen
IC 41: Amsterdam, Utrecht, Eindhoven, Liège, Luxembourg
IC 93: Paris, Amiens, Lille
IC 38: Saarbrücken, Mannheim, Stuttgart
AVE 1: Madrid, Zaragoza, Lleida, Tarragona, Barcelona
AVE 2: Madrid, Ciudad Real, Córdoba, Sevilla
AVE 3: Madrid, Ciudad Real, Córdoba, Málaga
AVE 4: Madrid, Albacete, Valencia
AVE 5: Barcelona, Tarragona, Castellón, Valencia, Alicante, Murcia
AVE 6: Madrid, Valladolid, León, Oviedo
AVE 7: Madrid, Valladolid, Burgos, Bilbao
AVE 8: Madrid, Valladolid, Ourense, A Coruña
AVE 9: Zaragoza, Burgos, León, Ourense, Vigo
AVE 10: Madrid, Ciudad Real, Badajoz, Évora, Lisboa
AVE 11: Córdoba, Granada, Murcia
AP 13: Lisboa, Coimbra, Porto, Vigo
AP 17: Lisboa, Évora, Faro
X 20: Stockholm, Norrköping, Linköping, Jönköping, Växjö, Malmö, København
X 30: Stockholm, Örebro, Göteborg
X 31: Göteborg, Helsingborg, Malmö
X 40: Stockholm, Gävle, Sundsvall
X 50: Stockholm, Örebro, Karlstad, Oslo
X 60: Göteborg, Halden, Oslo
NO 41: Oslo, Geilo, Voss, Bergen
NO 21: Oslo, Hamar, Dombås, Trondheim
NO 51: Oslo, Kongsberg, Kristiansand
FI 1: Helsinki, Tampere, Seinäjoki, Oulu
FI 2: Helsinki, Turku, Tampere, Jyväskylä
FI 3: Helsinki, Kouvola, Jyväskylä
LM 1: London, Birmingham, Crewe, Preston, Carlisle, Glasgow
LM 2: London, Crewe, Manchester, Leeds, York
LM 3: London, Peterborough, York, Newcastle, Edinburgh, Glasgow
LM 4: London, Reading, Bristol, Exeter, Plymouth
LM 5: London, Reading, Cardiff
LM 6: London, Leicester, Sheffield, Leeds
LM 7: London, Southampton
LM 8: Bristol, Birmingham, Sheffield, York
LM 9: Peterborough, Norwich, London
LM 10: Edinburgh, Perth, Inverness, Aberdeen
IE 1: Dublin, Athlone, Galway
IE 2: Dublin, Limerick Junction, Cork
IE 3: Dublin, Dundalk, Belfast
`.trim().split('\n').map(line => {
  const [name, via] = line.split(': ');
  return { name, via: via.split(', ') };
});
