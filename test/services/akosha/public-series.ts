/**
 * Two well-known series of facts, with answers that others have found in them.
 *
 * @module
 */

/**
 * Annual flow of the Nile at Aswan, 1871 to 1970, in 10^8 cubic metres. From: J. Durbin and S. J. Koopman, Time Series
 * Analysis by State Space Methods (2001); G. W. Cobb, The problem of the Nile: conditional solution to a change-point
 * problem, Biometrika 65 (1978), who puts the change at 1898: the last year of the old level.
 */
export const NILE = {
  first: 1871,
  // deno-fmt-ignore
  values: [
    1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140,
    1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969,
    831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759,
    781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890,
    744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740,
  ],
};

/**
 * Yearly mean relative sunspot numbers, 1700 to 1879 (Wolf's numbers, as the Royal Observatory of Belgium kept them before the
 * revision of 2015). Their cycle takes about eleven years.
 */
export const SUNSPOTS = {
  first: 1700,
  // deno-fmt-ignore
  values: [
    5, 11, 16, 23, 36, 58, 29, 20, 10, 8, 3, 0, 0, 2, 11, 27, 47, 63, 60, 39,
    28, 26, 22, 11, 21, 40, 78, 122, 103, 73, 47, 35, 11, 5, 16, 34, 70, 81, 111, 101,
    73, 40, 20, 16, 5, 11, 22, 40, 60, 80.9, 83.4, 47.7, 47.8, 30.7, 12.2, 9.6, 10.2, 32.4, 47.6, 54,
    62.9, 85.9, 61.2, 45.1, 36.4, 20.9, 11.4, 37.8, 69.8, 106.1, 100.8, 81.6, 66.5, 34.8, 30.6, 7, 19.8, 92.5, 154.4, 125.9,
    84.8, 68.1, 38.5, 22.8, 10.2, 24.1, 82.9, 132, 130.9, 118.1, 89.9, 66.6, 60, 46.9, 41, 21.3, 16, 6.4, 4.1, 6.8,
    14.5, 34, 45, 43.1, 47.5, 42.2, 28.1, 10.1, 8.1, 2.5, 0, 1.4, 5, 12.2, 13.9, 35.4, 45.8, 41.1, 30.1, 23.9,
    15.6, 6.6, 4, 1.8, 8.5, 16.6, 36.3, 49.6, 64.2, 67, 70.9, 47.8, 27.5, 8.5, 13.2, 56.9, 121.5, 138.3, 103.2, 85.7,
    64.6, 36.7, 24.2, 10.7, 15, 40.1, 61.5, 98.5, 124.7, 96.3, 66.6, 64.5, 54.1, 39, 20.6, 6.7, 4.3, 22.7, 54.8, 93.8,
    95.8, 77.2, 59.1, 44, 47, 30.5, 16.3, 7.3, 37.6, 74, 139, 111.2, 101.6, 66.2, 44.7, 17, 11.3, 12.4, 3.4, 6,
  ],
};

/** As `record_observations` takes it: one value a year. */
export function yearly(metric: string, { first, values }: typeof NILE) {
  return values.map((value, index) => ({ metric, value, at: `${first + index}-06-30T00:00:00Z` }));
}
