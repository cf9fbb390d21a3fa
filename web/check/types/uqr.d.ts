export declare function encode(text: string, options?: { border?: number }): { size: number; data: boolean[][] };
